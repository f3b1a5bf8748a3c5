//! From other programs' tensor names to torchvision's.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;

use crate::{Error, Result};

/// Tensors that a message shows.
const SHOWN: usize = 4;

/// A network's tensors under torchvision's names.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// All but the counts of batches; what belongs to no layer of a residual network has its own name still.
    pub tensors: HashMap<String, Tensor>,
    /// What was done to the names, a clause each; nothing where they were torchvision's.
    pub said: Vec<String>,
}

impl Foreign {
    /// Names of what belongs neither to a layer nor to the head, in their order.
    pub fn others(&self) -> Vec<&str> {
        let is_own = |name: &str| is_body(name) || name == "fc.weight" || name == "fc.bias";
        let mut others: Vec<&str> = self
            .tensors
            .keys()
            .map(String::as_str)
            .filter(|name| !is_own(name))
            .collect();
        others.sort_unstable();
        others
    }

    /// Leaves out what is neither a layer nor the head, for a network that gets a head of its own.
    pub fn without_others(&mut self) {
        let others: Vec<String> = self.others().into_iter().map(str::to_owned).collect();
        self.tensors.retain(|name, _| !others.contains(name));
        if let Some(first) = others.first() {
            let count = others.len();
            let tensors = if count == 1 { "tensor" } else { "tensors" };
            self.said.push(format!(
                "{count} {tensors} outside of the residual network (`{first}`{}) left out",
                if count > 1 { ", ..." } else { "" }
            ));
        }
    }
}

/// A program's way to name the tensors of a residual network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// torchvision's, timm's and ours: `conv1`, `bn1`, `layer1.0.conv1`.
    Torchvision,
    /// That of the library transformers: `embedder.embedder.convolution`, `encoder.stages.0.layers.0.layer.0.convolution`.
    Transformers,
    /// The children of torchvision's network in a row (`nn.Sequential(*resnet.children())`): `0`, `1`, `4.0.conv1`.
    Row,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::Torchvision, Self::Transformers, Self::Row];

    /// What the first convolution of the network, and that of its blocks, are called.
    fn marks(self) -> [&'static str; 2] {
        match self {
            Self::Torchvision => ["conv1.weight", "layer1.0.conv1.weight"],
            Self::Transformers => [
                "embedder.embedder.convolution.weight",
                "encoder.stages.0.layers.0.layer.0.convolution.weight",
            ],
            Self::Row => ["0.weight", "4.0.conv1.weight"],
        }
    }

    /// What stands before the names of each network of this scheme among some.
    fn prefixes<'a>(self, names: &BTreeMap<&'a str, &Tensor>) -> Vec<&'a str> {
        let [first, second] = self.marks();
        let prefix_of = |name: &&'a str| {
            let prefix = name.strip_suffix(first)?;
            let whole = prefix.is_empty() || prefix.ends_with('.');
            let is_there = || names.contains_key(format!("{prefix}{second}").as_str());
            (whole && is_there()).then_some(prefix)
        };
        names.keys().filter_map(prefix_of).collect()
    }

    /// torchvision's name of a layer's tensor; `None` of what belongs to no layer.
    fn translated(self, name: &str) -> Option<String> {
        match self {
            Self::Torchvision => is_body(name).then(|| name.to_owned()),
            Self::Transformers => from_transformers(name),
            Self::Row => {
                let (child, rest) = name.split_once('.')?;
                let own = match child {
                    "0" => "conv1",
                    "1" => "bn1",
                    "4" => "layer1",
                    "5" => "layer2",
                    "6" => "layer3",
                    "7" => "layer4",
                    _ => return None,
                };
                Some(format!("{own}.{rest}"))
            }
        }
    }
}

/// Whether a name is that of a layer in torchvision's scheme.
fn is_body(name: &str) -> bool {
    let number = |name: &str| {
        let (number, _) = name.strip_prefix("layer")?.split_once('.')?;
        number.parse::<usize>().ok()
    };
    name.starts_with("conv1.") || name.starts_with("bn1.") || number(name).is_some()
}

fn from_transformers(name: &str) -> Option<String> {
    let (place, tensor) = name.rsplit_once('.')?;
    if let Some(part) = place.strip_prefix("embedder.embedder.") {
        return match part {
            "convolution" => Some(format!("conv1.{tensor}")),
            "normalization" => Some(format!("bn1.{tensor}")),
            _ => None,
        };
    }
    let parts: Vec<&str> = place.strip_prefix("encoder.stages.")?.split('.').collect();
    let (block, layer) = match parts.as_slice() {
        [stage, "layers", block, "shortcut", part] => {
            let own = match *part {
                "convolution" => "downsample.0",
                "normalization" => "downsample.1",
                _ => return None,
            };
            ((stage, block), own.to_owned())
        }
        [stage, "layers", block, "layer", number, part] => {
            let number = number.parse::<usize>().ok()?.checked_add(1)?;
            let own = match *part {
                "convolution" => "conv",
                "normalization" => "bn",
                _ => return None,
            };
            ((stage, block), format!("{own}{number}"))
        }
        _ => return None,
    };
    let stage = block.0.parse::<usize>().ok()?.checked_add(1)?;
    Some(format!("layer{stage}.{}.{layer}.{tensor}", block.1))
}

/// Whether a tensor is PyTorch's count of batches, which batch norm with a fixed momentum does not use.
pub(super) fn is_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
}

/// Brings a residual network's tensors to torchvision's names: takes off what stands before all of them (`module.` of a network that
/// was trained on several GPUs), reads transformers' names, and takes the only linear layer outside of the body as the head.
///
/// # Errors
/// [`Error::Foreign`] when there is no residual network of a known scheme among them, or more than one.
pub(super) fn to_torchvision(mut tensors: HashMap<String, Tensor>) -> Result<Foreign> {
    tensors.retain(|name, _| !is_counter(name));
    let names: BTreeMap<&str, &Tensor> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let found: Vec<(Scheme, &str)> = Scheme::ALL
        .into_iter()
        .flat_map(|scheme| scheme.prefixes(&names).into_iter().map(move |prefix| (scheme, prefix)))
        .collect();
    let (scheme, prefix) = match found.as_slice() {
        [one] => *one,
        [] => {
            return Err(Error::Foreign(format!(
                "no residual network is among its {}",
                overview(&names)
            )));
        }
        several => {
            let prefixes: Vec<String> = several.iter().map(|(_, prefix)| format!("`{prefix}`")).collect();
            return Err(Error::Foreign(format!(
                "{} residual networks are in it, whose names begin with {}: save the tensors of one in a file of its own",
                several.len(),
                prefixes.join(" and ")
            )));
        }
    };
    let mut said = Vec::new();
    let (mut own, mut others) = (HashMap::new(), BTreeMap::new());
    for (&name, &tensor) in &names {
        let translated = name.strip_prefix(prefix).and_then(|rest| scheme.translated(rest));
        match translated {
            Some(translated) => drop(own.insert(translated, tensor.clone())),
            None => drop(others.insert(name, tensor)),
        }
    }
    if !prefix.is_empty() {
        said.push(format!("`{prefix}` taken off the tensors' names"));
    }
    match scheme {
        Scheme::Torchvision => (),
        Scheme::Transformers => said.push("transformers' names read as torchvision's".to_owned()),
        Scheme::Row => said.push("numbered layers read as torchvision's".to_owned()),
    }
    let plain_head = format!("{prefix}fc");
    let head = head_among(&others, features(&own), &plain_head);
    let head_name = head.as_ref().map(|head| head.name.clone());
    for (name, tensor) in &others {
        let of_head = head_name
            .as_ref()
            .and_then(|head| name.strip_prefix(head.as_str())?.strip_prefix('.'));
        match of_head {
            Some("weight" | "bias") => (),
            _ => drop(own.insert((*name).to_owned(), (*tensor).clone())),
        }
    }
    if let Some(head) = head {
        if head.name != plain_head {
            said.push(format!("`{}` taken as the last layer `fc`", head.name));
        }
        if head.bias.is_none() {
            said.push(format!("`{}` has no bias, so that it is 0", head.name));
        }
        let (weight, bias) = head.tensors()?;
        own.insert("fc.weight".to_owned(), weight);
        own.insert("fc.bias".to_owned(), bias);
    }
    Ok(Foreign { tensors: own, said })
}

/// A linear layer that can be a network's last.
struct HeadFound {
    name: String,
    /// [A, C], or [A, C, 1, 1] of a 1 x 1 convolution.
    weight: Tensor,
    bias: Option<Tensor>,
}

impl HeadFound {
    fn tensors(&self) -> Result<(Tensor, Tensor)> {
        let (outputs, channels) = (self.weight.dim(0)?, self.weight.dim(1)?);
        let weight = self.weight.reshape((outputs, channels))?;
        let bias = match &self.bias {
            Some(bias) => bias.clone(),
            None => Tensor::zeros(outputs, weight.dtype(), weight.device())?,
        };
        Ok((weight, bias))
    }
}

/// The network's own head, or the only layer that fits as one.
fn head_among(others: &BTreeMap<&str, &Tensor>, features: Option<usize>, own: &str) -> Option<HeadFound> {
    let mut fitting: Vec<HeadFound> = others
        .iter()
        .filter_map(|(name, weight)| {
            let name = name.strip_suffix(".weight")?;
            let outputs = match *weight.dims() {
                [outputs, channels] | [outputs, channels, 1, 1] if features.is_none_or(|all| all == channels) => {
                    outputs
                }
                _ => return None,
            };
            let bias = others.get(format!("{name}.bias").as_str());
            if bias.is_some_and(|bias| bias.dims() != [outputs]) {
                return None;
            }
            Some(HeadFound {
                name: name.to_owned(),
                weight: (*weight).clone(),
                bias: bias.map(|bias| (*bias).clone()),
            })
        })
        .collect();
    if let Some(position) = fitting.iter().position(|head| head.name == own) {
        return Some(fitting.swap_remove(position));
    }
    let only = fitting.pop()?;
    fitting.is_empty().then_some(only)
}

/// Channels behind the last stage.
fn features(body: &HashMap<String, Tensor>) -> Option<usize> {
    let place = |name: &str| {
        let mut parts = name.strip_prefix("layer")?.split('.');
        let (stage, block) = (
            parts.next()?.parse::<usize>().ok()?,
            parts.next()?.parse::<usize>().ok()?,
        );
        let layer = parts.next()?.strip_prefix("conv")?.parse::<usize>().ok()?;
        Some((stage, block, layer))
    };
    let last = body.iter().filter_map(|(name, tensor)| Some((place(name)?, tensor)));
    let (_, convolution) = last.max_by_key(|(place, _)| *place)?;
    convolution.dims().first().copied()
}

/// How many tensors there are, the first of them, and what their names begin with.
fn overview(names: &BTreeMap<&str, &Tensor>) -> String {
    let first: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|(name, tensor)| format!("`{name}` {:?}", tensor.dims()))
        .collect();
    let mut beginnings: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names.keys() {
        let beginning = name.split_inclusive('.').next().unwrap_or(name);
        *beginnings.entry(beginning).or_default() += 1;
    }
    let mut beginnings: Vec<(&str, usize)> = beginnings.into_iter().collect();
    beginnings.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = if beginnings.len() > SHOWN { ", ..." } else { "" };
    let listed: Vec<String> = beginnings
        .iter()
        .take(SHOWN)
        .map(|(beginning, count)| format!("`{beginning}` ({count})"))
        .collect();
    let all = if names.len() > SHOWN { ", ..." } else { "" };
    format!(
        "{} tensors: {}{all}; their names begin with {}{more}",
        names.len(),
        first.join(", "),
        listed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::{Architecture, Network};

    fn tensors(name: &str) -> HashMap<String, Tensor> {
        let architecture = Architecture::preset(name).unwrap().with_width(2);
        Network::new(&architecture, 3, 1, &Device::Cpu).unwrap().named_tensors()
    }

    fn renamed(tensors: &HashMap<String, Tensor>, name: impl Fn(&str) -> String) -> HashMap<String, Tensor> {
        tensors
            .iter()
            .map(|(own, tensor)| (name(own), tensor.clone()))
            .collect()
    }

    /// The names and values of the network.
    fn same(found: &HashMap<String, Tensor>, expected: &HashMap<String, Tensor>) {
        let mut names: Vec<&String> = found.keys().collect();
        names.sort();
        let mut wanted: Vec<&String> = expected.keys().collect();
        wanted.sort();
        assert_eq!(names, wanted);
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for name in wanted {
            assert_eq!(values(&found[name]), values(&expected[name]), "{name}");
        }
    }

    #[test]
    fn prefixes_and_heads_of_any_name_are_found() {
        let own = tensors("resnet18");
        let plain = to_torchvision(own.clone()).unwrap();
        same(&plain.tensors, &own);
        assert!(plain.said.is_empty(), "{:?}", plain.said);
        type Rename = fn(&str) -> String;
        let ways: [(Rename, &[&str]); 8] = [
            (|name| format!("module.{name}"), &["`module.`"]),
            (|name| format!("state_dict.model.{name}"), &["`state_dict.model.`"]),
            (|name| format!("_orig_mod.{name}"), &["`_orig_mod.`"]),
            (|name| name.replace("fc.", "fc.1."), &["`fc.1` taken as"]),
            (|name| name.replace("fc.", "head.fc."), &["`head.fc` taken as"]),
            (
                |name| match name.strip_prefix("fc.") {
                    Some(rest) => format!("classifier.{rest}"),
                    None => format!("backbone.{name}"),
                },
                &["`backbone.`", "`classifier` taken as"],
            ),
            (
                |name| match name.strip_prefix("fc.") {
                    Some(rest) => format!("module.head.{rest}"),
                    None => format!("module.encoder.{name}"),
                },
                &["`module.encoder.`", "`module.head` taken as"],
            ),
            (
                |name| {
                    let numbered = [("conv1.", "0."), ("bn1.", "1."), ("layer1.", "4."), ("layer2.", "5.")];
                    let numbered = numbered.into_iter().chain([("layer3.", "6."), ("layer4.", "7.")]);
                    let numbered = numbered.chain([("fc.", "9.")]);
                    numbered
                        .filter_map(|(own, number)| Some(format!("{number}{}", name.strip_prefix(own)?)))
                        .next()
                        .unwrap()
                },
                &["numbered layers", "`9` taken as"],
            ),
        ];
        for (rename, expected) in ways {
            let mut foreign = renamed(&own, rename);
            let counter = Tensor::zeros((), candle_core::DType::I64, &Device::Cpu).unwrap();
            foreign.insert("module.bn1.num_batches_tracked".to_owned(), counter);
            let found = to_torchvision(foreign).unwrap();
            same(&found.tensors, &own);
            let said = found.said.join("; ");
            for part in expected {
                assert!(said.contains(part), "{said} should contain {part}");
            }
        }
    }

    #[test]
    fn transformers_names_are_read() {
        for preset in ["resnet18", "resnet50"] {
            let own = tensors(preset);
            let foreign = renamed(&own, |name| {
                let (place, tensor) = name.rsplit_once('.').unwrap();
                let parts: Vec<&str> = place.split('.').collect();
                let part = |layer: &str| {
                    let (kind, number) = layer.split_at(layer.len() - 1);
                    let kind = if kind == "conv" { "convolution" } else { "normalization" };
                    (number.parse::<usize>().unwrap() - 1, kind)
                };
                match parts.as_slice() {
                    ["fc"] => format!("classifier.1.{tensor}"),
                    [layer] => format!("resnet.embedder.embedder.{}.{tensor}", part(layer).1),
                    [stage, block, "downsample", number] => {
                        let stage = stage.trim_start_matches("layer").parse::<usize>().unwrap() - 1;
                        let kind = if *number == "0" { "convolution" } else { "normalization" };
                        format!("resnet.encoder.stages.{stage}.layers.{block}.shortcut.{kind}.{tensor}")
                    }
                    [stage, block, layer] => {
                        let stage = stage.trim_start_matches("layer").parse::<usize>().unwrap() - 1;
                        let (number, kind) = part(layer);
                        format!("resnet.encoder.stages.{stage}.layers.{block}.layer.{number}.{kind}.{tensor}")
                    }
                    _ => unreachable!("no other name"),
                }
            });
            let found = to_torchvision(foreign).unwrap();
            same(&found.tensors, &own);
            assert!(
                found.said.iter().any(|line| line.contains("transformers")),
                "{:?}",
                found.said
            );
        }
    }

    #[test]
    fn heads_are_taken_only_where_one_fits() {
        let own = tensors("resnet18");
        let mut without_bias = own.clone();
        without_bias.remove("fc.bias");
        let found = to_torchvision(without_bias).unwrap();
        assert!(found.said[0].contains("no bias"), "{:?}", found.said);
        assert_eq!(found.tensors["fc.bias"].to_vec1::<f32>().unwrap(), [0.0; 3]);

        // Two layers in a row are no linear head, and which of two heads is meant nobody knows.
        let mut two = renamed(&own, |name| name.replace("fc.", "head.2."));
        two.insert(
            "head.0.weight".to_owned(),
            Tensor::zeros((16, 16), candle_core::DType::F32, &Device::Cpu).unwrap(),
        );
        let mut found = to_torchvision(two).unwrap();
        assert!(!found.tensors.contains_key("fc.weight"));
        assert!(found.tensors.contains_key("head.0.weight"));
        found.without_others();
        assert!(!found.tensors.contains_key("head.0.weight"));
        assert!(found.said[0].contains("3 tensors outside"), "{:?}", found.said);
    }

    #[test]
    fn what_is_no_residual_network_is_listed() {
        let own = tensors("resnet18");
        let message = to_torchvision(renamed(&own, |name| format!("x.{}", name.replace("conv", "c"))))
            .unwrap_err()
            .to_string();
        for part in ["102 tensors", "`x.bn1.bias` [2]", "begin with `x.` (102)"] {
            assert!(message.contains(part), "{message} should contain {part}");
        }
        let mut two = renamed(&own, |name| format!("student.{name}"));
        two.extend(renamed(&own, |name| format!("teacher.{name}")));
        let message = to_torchvision(two).unwrap_err().to_string();
        assert!(message.contains("`student.` and `teacher.`"), "{message}");
        let message = to_torchvision(HashMap::new()).unwrap_err().to_string();
        assert!(message.contains("0 tensors"), "{message}");
    }
}
