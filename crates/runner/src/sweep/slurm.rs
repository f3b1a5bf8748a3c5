//! Runs on a cluster: one Slurm job array, and one job after it that makes the comparison.
//!
//! The array's script holds the command of every run, frozen when it is handed in, so that a later change of the sweep file does
//! not change which task makes which run. Each task writes the same folders and logs as a run here does. Slurm knows what is waiting
//! and running; what is done is read from the results folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use disk::write_whole;
use serde::{Deserialize, Serialize};

use super::Plan;
use super::file::Slurm;
use super::local::arguments;
use super::log;
use crate::error::{Error, Result, describe};
use pipeline::quoted;

/// The folder of scripts and of Slurm's own logs, in a sweep's results folder.
const FOLDER: &str = "slurm";

/// A run that is put into the queue again more often than this makes no headway.
const MOST_RESTARTS: u32 = 100;

/// What was handed in: a line of `slurm/jobs.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The number of the job array.
    pub array: String,
    /// The number of the job that makes the comparison; absent if Slurm refused that one.
    pub comparison: Option<String>,
    /// The run of each task, by name.
    pub runs: Vec<String>,
}

/// What the jobs need beside the plan.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The sweep.
    pub plan: &'a Plan,
    /// Where all results are.
    pub results: &'a Path,
    /// Where all data sets are.
    pub data: &'a Path,
    /// What computes.
    pub device: &'a str,
    /// The `--set`s of the command line.
    pub settings: &'a [String],
    /// The sweep's results folder.
    pub sweep: &'a Path,
}

impl Request<'_> {
    /// Hands in the runs at `positions` and the comparison, and records it. The numbers of the job array and of the comparison's job.
    ///
    /// # Errors
    /// When the scripts cannot be written, or sbatch is absent or refuses them; its words are passed on.
    pub fn submit(&self, positions: &[usize]) -> Result<[String; 2]> {
        let program = std::env::current_exe().map_err(Error::io("biascam".as_ref(), "finding the program"))?;
        let folder = absolute(&self.sweep.join(FOLDER))?;
        let runs = folder.join("runs.sh");
        let comparison = folder.join("comparison.sh");
        // The tasks write here, and Slurm fails a job whose output has no folder.
        disk::make_folder(&self.sweep.join(log::FOLDER)).map_err(Error::io(self.sweep, "making the folders"))?;
        write_whole(&runs, self.runs_script(positions, &program, &folder)?.as_bytes())?;
        write_whole(&comparison, self.comparison_script(&program, &folder)?.as_bytes())?;
        // Read before anything is in the queue, and written as soon as the runs are: what is not recorded would be handed in twice.
        let earlier = submissions(self.sweep)?;
        let array = sbatch(&[runs.as_os_str().to_string_lossy().into_owned()])?;
        let names = positions.iter().map(|&position| self.plan.runs[position].name.clone());
        let mut submission = Submission {
            array: array.clone(),
            comparison: None,
            runs: names.collect(),
        };
        record(self.sweep, &earlier, &submission).map_err(|error| {
            Error::Request(format!(
                "the runs are in the queue as job array {array}, which could not be recorded: cancel it before the runs are handed in \
                 again ({})",
                describe(&error)
            ))
        })?;
        let after = format!("--dependency=afterany:{array}");
        let comparison = sbatch(&[after, comparison.as_os_str().to_string_lossy().into_owned()]).map_err(|error| {
            Error::Request(format!(
                "the runs are in the queue as job array {array}, but not their comparison, which --compare makes when they have ended: \
                 {}",
                describe(&error)
            ))
        })?;
        submission.comparison = Some(comparison.clone());
        record(self.sweep, &earlier, &submission)?;
        Ok([array, comparison])
    }

    /// The script of the array: what each task runs.
    fn runs_script(&self, positions: &[usize], program: &Path, folder: &Path) -> Result<String> {
        let settings = &self.plan.file.slurm;
        let mut lines = head(&self.plan.name, settings, folder)?;
        if let Some(cpus) = settings.cpus {
            lines.push(format!("#SBATCH --cpus-per-task={cpus}"));
        }
        if let Some(gpus) = settings.gpus {
            lines.push(format!("#SBATCH --gpus={gpus}"));
        }
        let throttle = settings.at_once.map_or_else(String::new, |most| format!("%{most}"));
        lines.push(format!(
            "#SBATCH --array=0-{}{throttle}",
            positions.len().saturating_sub(1)
        ));
        lines.push("#SBATCH --requeue".to_owned());
        lines.push(format!("#SBATCH --signal=B:USR1@{}", settings.grace));
        lines.extend(settings.setup.iter().cloned());
        lines.push(format!("program={}", quoted(&program.display().to_string())));
        lines.push(format!(
            "logs={}",
            quoted(&absolute(&self.sweep.join(log::FOLDER))?.display().to_string())
        ));
        lines.push(TASK.replace("MOST_RESTARTS", &MOST_RESTARTS.to_string()));
        lines.push("case $SLURM_ARRAY_TASK_ID in".to_owned());
        for (task, &position) in positions.iter().enumerate() {
            let run = &self.plan.runs[position];
            let words = arguments(self.plan, run, self.sweep, self.data, self.device);
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            lines.push(format!("{task}) task {} {} ;;", quoted(&run.name), words.join(" ")));
        }
        lines.push("esac\n".to_owned());
        Ok(lines.join("\n"))
    }

    /// The script of the comparison.
    fn comparison_script(&self, program: &Path, folder: &Path) -> Result<String> {
        let settings = &self.plan.file.slurm;
        let mut lines = head(&format!("{}-comparison", self.plan.name), settings, folder)?;
        lines.extend(settings.setup.iter().cloned());
        let mut words = vec![
            program.display().to_string(),
            "sweep".to_owned(),
            self.plan.path.display().to_string(),
            "--compare".to_owned(),
            "--results".to_owned(),
            self.results.display().to_string(),
            "--data".to_owned(),
            self.data.display().to_string(),
        ];
        for setting in self.settings {
            words.extend(["--set".to_owned(), setting.clone()]);
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        lines.push(format!("exec {}\n", words.join(" ")));
        Ok(lines.join("\n"))
    }
}

/// What a task does. `B:` sends Slurm's warning before the end of the time to this script alone: it asks the run to stop, which saves its
/// state, and puts the task back into the queue. A TERM comes at preemption, where Slurm itself puts the task back, or when a person
/// cancels the job. Slurm sends it to the run as well, which a second one would end without saving: it is not passed on.
const TASK: &str = r#"export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
task() {
  local log="$logs/$1.log" again= status last
  shift
  echo "$ biascam $*" >> "$log"
  "$program" "$@" >> "$log" 2>&1 &
  local run=$!
  trap 'again=yes; kill -TERM $run' USR1
  trap : TERM
  # A trap ends a wait early; what ended in between is waited for once more.
  while :; do wait $run; status=$?; kill -0 $run 2> /dev/null || break; done
  wait $run 2> /dev/null; last=$?
  [ $last -eq 127 ] || status=$last
  if [ -n "$again" ] && [ $status -ne 0 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt MOST_RESTARTS ]; then
    scontrol requeue "$SLURM_JOB_ID" && exit 0
  fi
  if [ $status -gt 128 ] && [ $status -ne 143 ] && [ $status -ne 130 ]; then
    echo "biascam: killed by signal $((status - 128))" >> "$log"
  fi
  exit $status
}"#;

/// What both scripts begin with.
fn head(name: &str, settings: &Slurm, folder: &Path) -> Result<Vec<String>> {
    let here = std::env::current_dir().map_err(Error::io(".".as_ref(), "finding the folder"))?;
    // What follows a percent sign is Slurm's to fill in.
    let output = format!("{}/%x-%j.out", folder.display().to_string().replace('%', "%%"));
    let mut lines = vec![
        "#!/bin/bash".to_owned(),
        format!("#SBATCH --job-name={}", word(name)?),
        format!("#SBATCH --chdir={}", word(&here.display().to_string())?),
        format!("#SBATCH --output={}", word(&output)?),
        "#SBATCH --open-mode=append".to_owned(),
        "#SBATCH --ntasks=1".to_owned(),
    ];
    for (option, value) in [
        ("partition", &settings.partition),
        ("account", &settings.account),
        ("time", &settings.time),
        ("mem", &settings.memory),
    ] {
        if let Some(value) = value {
            lines.push(format!("#SBATCH --{option}={}", word(value)?));
        }
    }
    lines.extend(settings.options.iter().map(|option| format!("#SBATCH {option}")));
    Ok(lines)
}

/// A word of an `#SBATCH` line, which Slurm itself takes apart: as a shell does, but that a backslash escapes what follows between single
/// quotes too.
///
/// # Errors
/// When it has a line break, which no quotation marks keep on the line.
fn word(text: &str) -> Result<String> {
    if text.contains(['\n', '\r']) {
        return Err(Error::Request(format!(
            "--slurm: {text:?} has a line break, which a line of a job's script cannot hold; choose a folder or a name without one"
        )));
    }
    if text.is_empty() {
        return Ok(quoted(text));
    }
    let between = |part: &str| if part.is_empty() { String::new() } else { quoted(part) };
    Ok(text.split('\\').map(between).collect::<Vec<_>>().join(r"\\"))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Error::io(path, "finding the folder"))
}

/// Runs sbatch and returns the job's number.
fn sbatch(arguments: &[String]) -> Result<String> {
    let output = Command::new("sbatch").arg("--parsable").args(arguments).output();
    let output = output.map_err(|error| {
        Error::Request(format!(
            "--slurm: sbatch cannot be started ({error}); run this where the cluster's jobs are handed in, or leave out --slurm"
        ))
    })?;
    if !output.status.success() {
        return Err(Error::Request(format!(
            "--slurm: sbatch refused the job: {}; the sweep file's section `slurm` says what is asked for",
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    let number = String::from_utf8_lossy(&output.stdout).into_owned();
    // With several clusters, the cluster's name follows.
    Ok(number.trim().split(';').next().unwrap_or_default().to_owned())
}

fn jobs_path(sweep: &Path) -> PathBuf {
    sweep.join(FOLDER).join("jobs.json")
}

/// Writes down what was handed in, after what was before.
fn record(sweep: &Path, earlier: &[Submission], new: &Submission) -> Result<()> {
    let path = jobs_path(sweep);
    let all: Vec<&Submission> = earlier.iter().chain([new]).collect();
    let bytes = serde_json::to_vec_pretty(&all)
        .map_err(|error| Error::artefact(&path, format!("cannot be written: {error}")))?;
    Ok(write_whole(&path, &bytes)?)
}

/// Everything of this sweep that was ever handed in.
///
/// # Errors
/// When the record is there and damaged.
pub fn submissions(sweep: &Path) -> Result<Vec<Submission>> {
    let path = jobs_path(sweep);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            Error::Request(format!(
                "{}: {}; without this file biascam does not know of jobs in the queue: delete it if there are none",
                path.display(),
                pipeline::json_fault(&error)
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(&path, "reading")(error)),
    }
}

/// A run that Slurm has in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The run.
    pub run: String,
    /// The task's number, `ARRAY_TASK`.
    pub job: String,
    /// Slurm's word for its state, such as `PENDING`, and its reason where it has one.
    pub state: String,
}

/// The runs that wait or run on the cluster; empty where nothing was handed in or there is no squeue.
///
/// # Errors
/// When the record of what was handed in is damaged, or squeue is there and fails: without its word a run could be made twice.
pub fn queued(sweep: &Path) -> Result<Vec<Queued>> {
    let submissions = submissions(sweep)?;
    if submissions.is_empty() {
        return Ok(Vec::new());
    }
    let output = match Command::new("squeue")
        .args(["--noheader", "--array", "--me", "--format=%F|%K|%T|%r"])
        .output()
    {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("squeue".as_ref(), "starting")(error)),
    };
    if !output.status.success() {
        return Err(Error::Request(format!(
            "squeue failed, so that nobody knows what of the sweep is in the queue: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    Ok(parse(&String::from_utf8_lossy(&output.stdout), &submissions))
}

/// Reads squeue's lines `ARRAY|TASK|STATE|REASON`.
fn parse(lines: &str, submissions: &[Submission]) -> Vec<Queued> {
    lines
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('|').map(str::trim);
            let (array, task, state) = (fields.next()?, fields.next()?, fields.next()?);
            let reason = fields.next().filter(|reason| !reason.is_empty() && *reason != "None");
            let submission = submissions.iter().find(|submission| submission.array == array)?;
            Some(Queued {
                run: submission.runs.get(task.parse::<usize>().ok()?)?.clone(),
                job: format!("{array}_{task}"),
                state: match reason {
                    Some(reason) => format!("{state}, {reason}"),
                    None => state.to_owned(),
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeue_is_read() {
        let submissions = [Submission {
            array: "12".to_owned(),
            comparison: Some("15".to_owned()),
            runs: vec!["a-1".to_owned(), "a-2".to_owned()],
        }];
        let found = parse(
            "12|1|PENDING|Resources\n12|0|RUNNING|None\n15|N/A|PENDING|Dependency\n99|0|RUNNING|None\n12|7|RUNNING|None\n",
            &submissions,
        );
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|one| (one.run.as_str(), one.job.as_str(), one.state.as_str()))
            .collect();
        assert_eq!(
            found,
            [("a-2", "12_1", "PENDING, Resources"), ("a-1", "12_0", "RUNNING")]
        );
    }

    #[test]
    fn names_and_folders_are_one_word_each() {
        let lines = head("my sweep", &Slurm::default(), Path::new("/100 %/slurm")).expect("a folder");
        for line in ["--job-name='my sweep'", "--output='/100 %%/slurm/%x-%j.out'"] {
            assert!(lines.contains(&format!("#SBATCH {line}")), "{lines:?}");
        }
    }

    /// What Slurm's own reader of `#SBATCH` lines makes of a word (`get_argument` of its `sbatch`).
    fn as_slurm_reads(word: &str) -> String {
        let (mut read, mut quote, mut escaped) = (String::new(), None, false);
        for c in word.chars() {
            match (escaped, quote) {
                (true, _) => {
                    read.push(c);
                    escaped = false;
                }
                (false, _) if c == '\\' => escaped = true,
                (false, Some(open)) if c == open => quote = None,
                (false, None) if c == '"' || c == '\'' => quote = Some(c),
                (false, None) if c.is_whitespace() || c == '#' => break,
                (false, _) => read.push(c),
            }
        }
        read
    }

    #[test]
    fn whatever_a_folder_is_called_slurm_reads_it() {
        for path in [
            "/plain/path-1.2",
            "/my results/with  two spaces",
            "/it's \"here\"",
            "/back\\slash and\\",
            "/a#b $HOME `x` !y",
            "/日本語 ü",
        ] {
            let written = word(path).expect("a line");
            assert_eq!(as_slurm_reads(&written), path, "{written}");
        }
        assert_eq!(word("/plain/path-1.2").expect("a line"), "/plain/path-1.2");
        let message = word("/two\nlines").expect_err("a line break").to_string();
        assert!(message.contains("line break"), "{message}");
    }

    #[test]
    fn a_damaged_record_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(submissions(folder.path()).expect("none"), []);
        std::fs::create_dir(folder.path().join(FOLDER)).expect("made");
        std::fs::write(jobs_path(folder.path()), "[").expect("written");
        let message = submissions(folder.path()).expect_err("damaged").to_string();
        assert!(
            message.contains("jobs.json") && message.contains("delete it"),
            "{message}"
        );
    }
}
