//! What a YAML file says, as a tree.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::key::{KeyPath, Step};

/// A value, and all that is in it. Keys keep their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Node {
    /// Nothing, or `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// A negative whole number.
    Negative(i64),
    /// Any other number.
    Real(f64),
    /// A text.
    Text(String),
    /// Values in a row.
    List(Vec<Node>),
    /// Values by name.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value at a place.
    #[must_use]
    pub fn get(&self, path: &KeyPath) -> Option<&Self> {
        path.steps().iter().try_fold(self, |node, step| match (node, step) {
            (Self::Map(entries), Step::Key(key)) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Self::List(items), Step::Item(item)) => items.get(*item),
            _ => None,
        })
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, path: &KeyPath) -> Option<&mut Self> {
        path.steps().iter().try_fold(self, |node, step| match (node, step) {
            (Self::Map(entries), Step::Key(key)) => {
                let found = entries.iter_mut().find(|(name, _)| name == key);
                found.map(|(_, value)| value)
            }
            (Self::List(items), Step::Item(item)) => items.get_mut(*item),
            _ => None,
        })
    }

    /// The keys with their values; none but of a map.
    pub fn entries_mut(&mut self) -> &mut [(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// Takes the value of a key out.
    pub fn take(&mut self, path: &KeyPath) -> Option<Self> {
        let (parent, last) = (path.parent()?, path.steps().last()?);
        match (self.get_mut(&parent)?, last) {
            (Self::Map(entries), Step::Key(key)) => {
                let position = entries.iter().position(|(name, _)| name == key)?;
                Some(entries.remove(position).1)
            }
            _ => None,
        }
    }

    /// Puts a value at a place, making the maps on the way.
    ///
    /// # Errors
    /// Names the key that is below something without keys.
    pub fn set(&mut self, path: &KeyPath, value: Self) -> Result<(), String> {
        let mut place = self;
        for step in path.steps() {
            let Step::Key(key) = step else {
                return Err("items of a list cannot be set one by one; set the list".to_owned());
            };
            if *place == Self::Null {
                *place = Self::Map(Vec::new());
            }
            let Self::Map(entries) = place else {
                return Err(format!("`{key}` is below a key that has no keys"));
            };
            let position = entries.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
                entries.push((key.clone(), Self::Null));
                entries.len() - 1
            });
            place = &mut entries[position].1;
        }
        *place = value;
        Ok(())
    }

    /// Lays `over` over this: maps are united, key by key; all else is replaced.
    pub fn merge(&mut self, over: Self) {
        match (self, over) {
            (Self::Map(entries), Self::Map(others)) => {
                for (key, value) in others {
                    match entries.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, known)) => known.merge(value),
                        None => entries.push((key, value)),
                    }
                }
            }
            (place, over) => *place = over,
        }
    }
}

/// As YAML's flow style has it, in one line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn row<T>(
            f: &mut fmt::Formatter<'_>,
            items: &[T],
            one: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
        ) -> fmt::Result {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    f.write_str(", ")?;
                }
                one(f, item)?;
            }
            Ok(())
        }
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Whole(value) => value.fmt(f),
            Self::Negative(value) => value.fmt(f),
            Self::Real(value) => f.write_str(&real(*value)),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                row(f, items, |f, item| item.fmt(f))?;
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                row(f, entries, |f, (key, value)| write!(f, "{key}: {value}"))?;
                f.write_str("}")
            }
        }
    }
}

/// A number as YAML writes it.
fn real(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        serde_json::Value::from(value).to_string()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Whole(value) => serializer.serialize_u64(*value),
            Self::Negative(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            /// A file without anything but comments.
            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Whole(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(u64::try_from(value).map_or(Node::Negative(value), Node::Whole))
            }

            /// Beyond what a count can be: what reads it says what it expected.
            fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
                Ok(Node::Real(value as f64))
            }

            fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
                Ok(Node::Real(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Real(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries: Vec<(String, Node)> = Vec::new();
                while let Some(key) = map.next_key_seed(NewKey(&entries))? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Node::Map(entries))
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
                let (tag, _) = access.variant::<String>()?;
                Err(A::Error::custom(format!("tags such as `!{tag}` mean nothing here")))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Keys in one place. They are compared with each other, and nobody writes so many.
const MOST_KEYS: usize = 10_000;

/// Reads a key that is not yet among some: here, for a fault to have the key's line.
struct NewKey<'a>(&'a [(String, Node)]);

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if self.0.iter().any(|(known, _)| known == key) {
            return Err(E::custom(format!("`{key}` stands here twice")));
        }
        if self.0.len() == MOST_KEYS {
            return Err(E::custom(format!("more than {MOST_KEYS} keys in one place")));
        }
        Ok(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::read;
    use super::*;

    fn node(text: &str) -> Node {
        read(text).expect("YAML")
    }

    #[test]
    fn maps_are_united_and_all_else_is_replaced() {
        let mut below = node("{a: {b: 1, c: [1, 2], d: {e: 1}}, f: 1}");
        below.merge(node("{a: {c: [3], d: 5, g: null}, h: {i: 2}}"));
        assert_eq!(below, node("{a: {b: 1, c: [3], d: 5, g: null}, f: 1, h: {i: 2}}"));
    }

    #[test]
    fn numbers_of_any_size_are_numbers() {
        assert_eq!(node("99999999999999999999999"), Node::Real(1e23));
        assert_eq!(node("-99999999999999999999999"), Node::Real(-1e23));
    }

    #[test]
    fn keys_in_one_place_are_bounded() {
        let many: String = (0..=MOST_KEYS).map(|key| format!("k{key}: 1\n")).collect();
        let error = read(&many).expect_err("too many");
        assert_eq!(
            (error.line, &*error.message),
            (Some(10_001), "more than 10000 keys in one place")
        );
    }

    #[test]
    fn values_are_set_at_their_places() {
        let mut tree = node("{a: {b: 1}, c: null}");
        tree.set(&KeyPath::new("a.b"), Node::Bool(true)).expect("a place");
        tree.set(&KeyPath::new("c.d.e"), Node::Whole(2)).expect("maps are made");
        assert_eq!(tree.to_string(), "{a: {b: true}, c: {d: {e: 2}}}");
        let message = tree.set(&KeyPath::new("a.b.x"), Node::Null).expect_err("no map");
        assert_eq!(message, "`x` is below a key that has no keys");
        assert_eq!(tree.take(&KeyPath::new("c.d")), Some(node("{e: 2}")));
        assert_eq!(tree.get(&KeyPath::new("c.d")), None);
    }
}
