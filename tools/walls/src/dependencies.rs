//! Which crate may depend on which.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Circle, Graph};
use crate::workspace::{Member, Workspace};

/// The crates of the workspace, each with those of the workspace that it may depend on.
///
/// Tests, examples and benches may look further: a dev-dependency may be any crate that leads, by dependencies and
/// dev-dependencies, not back to the one that has it. (Cargo would allow it, and build that one twice.)
const ALLOWED: &[(&str, &[&str])] = &[
    ("disk", &[]),
    ("dataset", &["disk"]),
    ("synthetic", &["dataset", "disk"]),
    ("kernels", &[]),
    ("model", &["kernels"]),
    ("metrics", &[]),
    ("cam", &["metrics", "model"]),
    ("pipeline", &["disk"]),
    ("render", &["disk", "metrics"]),
    (
        "runner",
        &[
            "cam",
            "dataset",
            "disk",
            "kernels",
            "metrics",
            "model",
            "pipeline",
            "render",
            "synthetic",
        ],
    ),
    // Nobody may depend on these: `testing` is for dev-dependencies.
    ("testing", &[]),
    ("walls", &[]),
];

/// What in the workspace's dependencies is against the table.
pub fn findings(workspace: &Workspace) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let names: BTreeSet<&str> = workspace.members.iter().map(|member| member.name.as_str()).collect();
    let mut graph: Graph<&str, ()> = Graph::default();
    let mut findings = Vec::new();
    for Member { name, dependencies, .. } in &workspace.members {
        let Some(allowed) = allowed.get(name.as_str()) else {
            findings.push(format!("crate `{name}` is not in the table of {}", file!()));
            continue;
        };
        for dependency in dependencies
            .iter()
            .filter(|dependency| names.contains(dependency.name.as_str()))
        {
            graph.add(name, &dependency.name, ());
            if !dependency.is_dev() && !allowed.contains(&dependency.name.as_str()) {
                findings.push(format!(
                    "crate `{name}` may not depend on `{}`: see {}",
                    dependency.name,
                    file!()
                ));
            }
        }
    }
    findings.extend(graph.circles().iter().map(circle));
    findings
}

fn circle(circle: &Circle<&str, ()>) -> String {
    let members: Vec<&str> = circle.members.iter().copied().collect();
    format!(
        "crates depend on each other through dev-dependencies: {}",
        members.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The findings in a workspace of these crates, each with its dependencies: `name`, or `name kind`.
    fn findings_in(members: &[(&str, &[&str])]) -> Vec<String> {
        let dependency = |text: &&str| match text.split_once(' ') {
            Some((name, kind)) => json!({"name": name, "kind": kind}),
            None => json!({"name": text, "kind": null}),
        };
        let member = |&(name, dependencies): &(&str, &[&str])| {
            let dependencies: Vec<Value> = dependencies.iter().map(dependency).collect();
            json!({"name": name, "dependencies": dependencies, "targets": []})
        };
        let members: Vec<Value> = members.iter().map(member).collect();
        let workspace = json!({"workspace_root": "/", "packages": members});
        findings(&serde_json::from_value(workspace).unwrap())
    }

    #[test]
    fn what_the_table_allows_passes() {
        let found = findings_in(&[("cam", &["model", "rayon"]), ("model", &[]), ("dataset", &[])]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_dependency_beside_the_table_is_found() {
        for dependency in ["dataset", "dataset build"] {
            let found = findings_in(&[("metrics", &[dependency]), ("dataset", &[])]);
            assert_eq!(found.len(), 1);
            assert!(
                found[0].starts_with("crate `metrics` may not depend on `dataset`"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_crate_beside_the_table_is_found() {
        let found = findings_in(&[("annex", &[])]);
        assert!(found[0].starts_with("crate `annex` is not in the table"), "{found:?}");
    }

    #[test]
    fn a_dev_dependency_may_lead_anywhere_but_back() {
        let found = findings_in(&[("kernels", &["dataset dev"]), ("dataset", &[])]);
        assert_eq!(found, [""; 0]);
        let found = findings_in(&[("dataset", &["synthetic dev"]), ("synthetic", &["dataset"])]);
        assert_eq!(
            found,
            ["crates depend on each other through dev-dependencies: dataset, synthetic"]
        );
    }
}
