//! A value of a table that was read.

use std::borrow::Cow;

use polars_arrow::array::{Array, BinaryViewArray, BooleanArray, PrimitiveArray, Utf8ViewArray};

/// A value, by how its file stores it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Truth(bool),
    Integer(i64),
    Number(f64),
}

impl<'a> Cell<'a> {
    /// Hands the values of an array to `each`, null as `None`.
    ///
    /// # Errors
    /// When its type is none of a table's, a text is no UTF-8, or by `each`.
    pub(super) fn each<E: From<String>>(
        array: &'a dyn Array,
        mut each: impl FnMut(Option<Self>) -> Result<(), E>,
    ) -> Result<(), E> {
        let array = array.as_any();
        if let Some(texts) = array.downcast_ref::<Utf8ViewArray>() {
            texts.iter().try_for_each(|value| each(value.map(Self::Text)))
        } else if let Some(bytes) = array.downcast_ref::<BinaryViewArray>() {
            bytes.iter().try_for_each(|value| {
                let text = value.map(|bytes| std::str::from_utf8(bytes)).transpose();
                each(text.map_err(|_| "bytes that are no text".to_owned())?.map(Self::Text))
            })
        } else if let Some(truths) = array.downcast_ref::<BooleanArray>() {
            truths.iter().try_for_each(|value| each(value.map(Self::Truth)))
        } else if let Some(numbers) = array.downcast_ref::<PrimitiveArray<i32>>() {
            let mut numbers = numbers.iter();
            numbers.try_for_each(|value| each(value.map(|&value| Self::Integer(value.into()))))
        } else if let Some(numbers) = array.downcast_ref::<PrimitiveArray<i64>>() {
            numbers
                .iter()
                .try_for_each(|value| each(value.copied().map(Self::Integer)))
        } else if let Some(numbers) = array.downcast_ref::<PrimitiveArray<f32>>() {
            let mut numbers = numbers.iter();
            numbers.try_for_each(|value| each(value.map(|&value| Self::Number(value.into()))))
        } else if let Some(numbers) = array.downcast_ref::<PrimitiveArray<f64>>() {
            numbers
                .iter()
                .try_for_each(|value| each(value.copied().map(Self::Number)))
        } else {
            Err("values of an unknown type".to_owned().into())
        }
    }

    /// As text.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Truth(truth) => truth.to_string().into(),
            Self::Integer(integer) => integer.to_string().into(),
            Self::Number(number) => number.to_string().into(),
        }
    }

    /// As a whole number, if it is one.
    pub(super) fn integer(self) -> Option<i64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Truth(truth) => Some(truth.into()),
            Self::Integer(integer) => Some(integer),
            // Above 2^53 a double is no longer one whole number.
            Self::Number(number) => (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64),
        }
    }

    /// As a number, if it is one.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Truth(truth) => Some(truth.into()),
            Self::Integer(integer) => Some(integer as f64),
            Self::Number(number) => Some(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_texts_and_from_each_other() {
        assert_eq!(Cell::Text("-1.5e3").number(), Some(-1500.0));
        assert!(Cell::Text("NaN").number().is_some_and(f64::is_nan));
        assert_eq!(Cell::Text("1.5").integer(), None);
        assert_eq!(Cell::Number(3.0).integer(), Some(3));
        assert_eq!(Cell::Number(3.5).integer(), None);
        assert_eq!(Cell::Number(f64::NAN).integer(), None);
        assert_eq!(Cell::Integer(-2).number(), Some(-2.0));
        assert_eq!(Cell::Integer(-2).text(), "-2");
        assert_eq!(Cell::Text("cold").number(), None);
    }
}
