//! From a tree to types, with faults that name the key and say in plain words what was expected there.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};

use render::text::counted;

use super::key::{KeyPath, Step};
use super::node::Node;

/// Why a tree is no value of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where.
    pub path: KeyPath,
    /// What is there, and what was expected.
    pub message: String,
    /// The key that is missing there, if that is it.
    pub missing: Option<&'static str>,
}

/// Reads a tree as a type.
///
/// # Errors
/// The first thing that does not fit.
pub fn typed<T: for<'de> Deserialize<'de>>(node: &Node) -> Result<T, Misfit> {
    T::deserialize(Typed(node))
}

impl Misfit {
    fn new(message: String) -> Self {
        Self {
            path: KeyPath::default(),
            message,
            missing: None,
        }
    }

    fn below(self, step: Step) -> Self {
        Self {
            path: self.path.below(step),
            ..self
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("{}, expected {}", words(found), plain(&expected.to_string())))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format!(
            "{}, expected {}",
            counted(length, "value"),
            plain(&expected.to_string())
        ))
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("{found}, expected {}", one_of(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown key, expected {}", one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(format!("missing key `{field}`"))
        }
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        several => format!("one of {}", several.join(", ")),
    }
}

fn words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => Node::Real(value).to_string(),
        Unexpected::Str(text) => text.to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "keys with values".to_owned(),
        other => other.to_string(),
    }
}

/// Rust's types in words.
fn plain(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "path string" => "a path",
        "a sequence" => "a list",
        "a map" => "keys with values",
        "unit" => "nothing",
        _ => {
            if let Some(length) = expected.strip_prefix("an array of length ") {
                return format!("a list of {length}");
            }
            if let Some(length) = expected.strip_prefix("a tuple of size ") {
                return format!("a list of {length}");
            }
            if expected.starts_with("tuple struct ") {
                return "a list".to_owned();
            }
            if ["struct ", "enum ", "unit struct ", "newtype struct "]
                .iter()
                .any(|kind| expected.starts_with(kind))
            {
                return "keys with values".to_owned();
            }
            expected
        }
    }
    .to_owned()
}

/// A tree that is read.
struct Typed<'a>(&'a Node);

impl Typed<'_> {
    fn found(&self) -> Unexpected<'_> {
        match self.0 {
            Node::Null => Unexpected::Unit,
            Node::Bool(value) => Unexpected::Bool(*value),
            Node::Whole(value) => Unexpected::Unsigned(*value),
            Node::Negative(value) => Unexpected::Signed(*value),
            Node::Real(value) => Unexpected::Float(*value),
            Node::Text(text) => Unexpected::Str(text),
            Node::List(_) => Unexpected::Seq,
            Node::Map(_) => Unexpected::Map,
        }
    }
}

impl<'de> Deserializer<'de> for Typed<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Whole(value) => visitor.visit_u64(*value),
            Node::Negative(value) => visitor.visit_i64(*value),
            Node::Real(value) => visitor.visit_f64(*value),
            Node::Text(text) => visitor.visit_str(text),
            Node::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Node::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                open: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// What YAML takes for a number may be meant as a name.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Bool(_) | Node::Whole(_) | Node::Negative(_) | Node::Real(_) => {
                visitor.visit_string(self.0.to_string())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    /// A key with nothing behind it is a list without items.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Null => visitor.visit_seq(Items([].iter().enumerate())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    /// A key with nothing behind it is a section in which nothing is said.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Null => visitor.visit_map(Entries {
                rest: [].iter(),
                open: None,
            }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Null | Node::Map(_) => self.deserialize_map(visitor),
            _ => Err(Misfit::new(format!(
                "{}, expected the keys {}",
                words(self.found()),
                fields.join(", ")
            ))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Node::Text(text) => {
                let name: StrDeserializer<'_, Misfit> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => Err(Misfit::new(format!(
                "{}, expected {}",
                words(self.found()),
                one_of(variants)
            ))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let next = self.0.next();
        next.map(|(index, item)| {
            seed.deserialize(Typed(item))
                .map_err(|misfit| misfit.below(Step::Item(index)))
        })
        .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (String, Node)>,
    /// The entry whose key has been read.
    open: Option<&'a (String, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.open = self.rest.next();
        let Some((key, _)) = self.open else { return Ok(None) };
        let name: StrDeserializer<'_, Misfit> = key.as_str().into_deserializer();
        seed.deserialize(name)
            .map(Some)
            .map_err(|misfit| misfit.below(Step::Key(key.clone())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (key, value) = self
            .open
            .take()
            .ok_or_else(|| Misfit::new("a value without a key".to_owned()))?;
        seed.deserialize(Typed(value))
            .map_err(|misfit| misfit.below(Step::Key(key.clone())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::text::read;
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        count: usize,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        share: f32,
        #[serde(default)]
        list: Vec<Kind>,
        #[serde(default)]
        map: BTreeMap<String, [f64; 2]>,
        #[serde(default)]
        flag: bool,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        TwoWords,
    }

    fn sample(text: &str) -> Result<Sample, Misfit> {
        typed(&read(text).expect("YAML"))
    }

    #[test]
    fn values_take_their_types() {
        let found = sample("{count: 3, name: 7, share: 1, list: [one, two_words], map: {a: [1, 2.5]}}").expect("fits");
        let expected = Sample {
            count: 3,
            name: Some("7".to_owned()),
            share: 1.0,
            list: vec![Kind::One, Kind::TwoWords],
            map: BTreeMap::from([("a".to_owned(), [1.0, 2.5])]),
            flag: false,
        };
        assert_eq!(found, expected);
        let empty = sample("count: 0\nname:\nlist:\nmap:\n").expect("nothing is said");
        assert_eq!((empty.name, empty.list, empty.map), (None, Vec::new(), BTreeMap::new()));
    }

    #[test]
    fn faults_name_the_key_and_what_was_expected() {
        for (text, path, message) in [
            ("{}", "", "missing key `count`"),
            ("count: -1", "count", "-1, expected a whole number that is not negative"),
            (
                "count: 1.5",
                "count",
                "1.5, expected a whole number that is not negative",
            ),
            (
                "count: many",
                "count",
                "many, expected a whole number that is not negative",
            ),
            (
                "{count: 1, counts: 2}",
                "counts",
                "unknown key, expected one of count, name, share, list, map, flag",
            ),
            ("{count: 1, share: [1]}", "share", "a list, expected a number"),
            (
                "{count: 1, list: [one, three]}",
                "list[1]",
                "three, expected one of one, two_words",
            ),
            (
                "{count: 1, list: [{}]}",
                "list[0]",
                "keys with values, expected one of one, two_words",
            ),
            ("{count: 1, map: {a: [1]}}", "map.a", "1 value, expected a list of 2"),
            ("{count: 1, map: {a: [1, x]}}", "map.a[1]", "x, expected a number"),
            ("{count: 1, flag: 1}", "flag", "1, expected true or false"),
            (
                "[1]",
                "",
                "a list, expected the keys count, name, share, list, map, flag",
            ),
        ] {
            let misfit = sample(text).expect_err(text);
            assert_eq!(
                (misfit.path.to_string().as_str(), misfit.message.as_str()),
                (path, message),
                "{text}"
            );
        }
    }
}
