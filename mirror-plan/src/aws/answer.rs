//! Reading answers: every element that matters is parsed; a missing or truncated one is an error.
//!
//! To the SDK, a 200 answer that ends in the middle of its document is a success with missing or
//! shortened elements; see [`crate::id`].

use std::net::Ipv4Addr;
use std::str::FromStr;

use super::errors::{AnswerError, FieldError};
use crate::attribute::{Ref, Referable};
use crate::id::{Id, Identified};

/// The name of the call whose answer is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer(pub(super) &'static str);

impl Answer {
    /// Returns the error for a missing `field`.
    pub(super) fn broken(self, field: &'static str) -> AnswerError {
        AnswerError { call: self.0, field, source: None }
    }

    /// Returns an element that must be present.
    pub(super) fn present<T>(
        self,
        field: &'static str,
        found: Option<T>,
    ) -> Result<T, AnswerError> {
        found.ok_or_else(|| self.broken(field))
    }

    /// Parses the id of a `T`.
    pub(super) fn id<T: Identified>(
        self,
        field: &'static str,
        found: Option<&str>,
    ) -> Result<Id<T>, AnswerError> {
        self.parsed(field, found)
    }

    /// Parses a reference to a `T` by its id.
    pub(super) fn reference<T: Referable>(
        self,
        field: &'static str,
        found: Option<&str>,
    ) -> Result<Ref<T>, AnswerError> {
        self.id(field, found).map(Ref::Id)
    }

    /// Parses references to `T`s, and returns them in order of their ids.
    pub(super) fn references<'a, T: Referable>(
        self,
        field: &'static str,
        found: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Vec<Ref<T>>, AnswerError> {
        let ids = found.into_iter().map(|id| self.id(field, id));
        let mut ids = ids.collect::<Result<Vec<Id<T>>, AnswerError>>()?;
        ids.sort();
        Ok(ids.into_iter().map(Ref::Id).collect())
    }

    /// Parses a required element.
    pub(super) fn parsed<T>(
        self,
        field: &'static str,
        found: Option<&str>,
    ) -> Result<T, AnswerError>
    where
        T: FromStr<Err: Into<FieldError>>,
    {
        self.present(field, found)?.parse().map_err(|error: T::Err| self.wrong(field, error))
    }

    /// Parses an optional element; an empty text counts as absent.
    pub(super) fn optional<T>(
        self,
        field: &'static str,
        found: Option<&str>,
    ) -> Result<Option<T>, AnswerError>
    where
        T: FromStr<Err: Into<FieldError>>,
    {
        match found.filter(|text| !text.is_empty()) {
            Some(text) => self.parsed(field, Some(text)).map(Some),
            None => Ok(None),
        }
    }

    /// Parses a required number that has a range.
    pub(super) fn number<T>(self, field: &'static str, found: Option<i32>) -> Result<T, AnswerError>
    where
        T: TryFrom<i64, Error: Into<FieldError>>,
    {
        let number = self.present(field, found)?;
        T::try_from(i64::from(number)).map_err(|error| self.wrong(field, error))
    }

    /// Parses an optional number that has a range.
    pub(super) fn optional_number<T>(
        self,
        field: &'static str,
        found: Option<i32>,
    ) -> Result<Option<T>, AnswerError>
    where
        T: TryFrom<i64, Error: Into<FieldError>>,
    {
        found.map(|number| self.number(field, Some(number))).transpose()
    }

    /// Returns the error for a `field` that is present and wrong.
    pub(super) fn wrong(self, field: &'static str, error: impl Into<FieldError>) -> AnswerError {
        AnswerError { source: Some(error.into()), ..self.broken(field) }
    }
}

/// Returns a text unless it is empty: AWS omits some elements and leaves others empty.
pub(super) fn text(found: Option<&str>) -> Option<String> {
    found.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Returns an IPv4 address as a text, if it is valid.
pub(super) fn address(found: Option<&str>) -> Option<String> {
    found.and_then(|text| text.parse::<Ipv4Addr>().ok()).map(|address| address.to_string())
}
