//! Mappings of a sweep file, in the order in which a person wrote them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A mapping with its order; a key that stands twice is refused.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(with = "BTreeMap<String, T>", bound = "T: JsonSchema")]
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ordered<T> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Reads the entries of a mapping.
    pub fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error>
    where
        T: Deserialize<'de>,
    {
        let mut entries = Self::default();
        while let Some(key) = map.next_key::<String>()? {
            if entries.get(&key).is_some() {
                return Err(A::Error::custom(format!("`{key}` stands here twice")));
            }
            entries.0.push((key, map.next_value()?));
        }
        Ok(entries)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ordered::from_map(map)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
