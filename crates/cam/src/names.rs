//! Names of variants: in experiment files, on the command line and in results.

use crate::{Error, Result};

/// The variant of that name, whatever its case and what stands between its words, or an error that lists all names.
pub(crate) fn by_name<T: Copy>(kind: &'static str, name: &str, all: &[(T, &'static str)]) -> Result<T> {
    let exact = all.iter().find(|(_, known)| *known == name);
    let alike = || all.iter().find(|(_, known)| letters(known) == letters(name));
    let found = exact.or_else(alike);
    found.map(|(value, _)| *value).ok_or_else(|| Error::UnknownName {
        kind,
        name: name.to_owned(),
        known: all.iter().map(|(_, known)| *known).collect(),
    })
}

/// A name's letters alone: `Grad-CAM++`, `gradcam++` and `grad_cam_plus_plus` have the same.
fn letters(name: &str) -> String {
    let words = name.replace('+', "plus").to_lowercase();
    words
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'))
        .collect()
}

/// Gives an enum its names: `FromStr`, `Display`, serde's traits, `name()` and the list `ALL`.
macro_rules! named {
    ($type:ident, $kind:literal, [$($variant:ident = $name:literal),+ $(,)?]) => {
        impl $type {
            /// Every variant, in the order of documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in experiment files, on the command line and in results.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;

            fn from_str(name: &str) -> $crate::Result<Self> {
                $crate::names::by_name($kind, name, &[$((Self::$variant, $name)),+])
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let unknown = |_| serde::de::Error::unknown_variant(&name, &[$($name),+]);
                name.parse().map_err(unknown)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($name),+] })
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
mod tests {
    use crate::{Method, Resize, Target};

    #[test]
    fn names_lead_back_to_their_variants() {
        assert!(
            Method::ALL
                .iter()
                .all(|one| one.name().parse::<Method>().unwrap() == *one)
        );
        assert!(
            Target::ALL
                .iter()
                .all(|one| one.name().parse::<Target>().unwrap() == *one)
        );
        assert!(
            Resize::ALL
                .iter()
                .all(|one| one.name().parse::<Resize>().unwrap() == *one)
        );
    }

    #[test]
    fn papers_spellings_are_known() {
        for method in Method::ALL {
            let alike: Vec<_> = Method::ALL
                .iter()
                .filter(|other| super::letters(other.name()) == super::letters(method.name()))
                .collect();
            assert_eq!(alike, [method], "no two methods share their letters");
        }
        for (spelling, method) in [
            ("gradcam", Method::GradCam),
            ("Grad-CAM", Method::GradCam),
            ("GradCAM++", Method::GradCamPlusPlus),
            ("hirescam", Method::HiresCam),
            ("HiRes CAM", Method::HiresCam),
            ("RISE", Method::Rise),
        ] {
            assert_eq!(spelling.parse::<Method>().unwrap(), method, "{spelling}");
        }
        assert!("".parse::<Method>().is_err());
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let message = "gradcams".parse::<Method>().unwrap_err().to_string();
        assert!(
            message.starts_with("`gradcams` is not a method; known: cam, grad_cam, hires_cam, "),
            "{message}"
        );
    }
}
