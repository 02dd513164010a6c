//! What can be said of a value whose type is not known here: its `Debug` text where it has one, and
//! whether it stands for a failure. Method resolution picks the first of two traits that fits.

use std::fmt::Debug;

/// A borrowed value that the traits below look at.
pub struct Wrap<'a, T: ?Sized>(pub &'a T);

/// For types with `Debug`.
pub trait ByDebug {
    /// The value's text.
    fn text(&self) -> String;
}

impl<T: Debug + ?Sized> ByDebug for Wrap<'_, T> {
    fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// For all others.
pub trait ByName {
    /// The type's name in angle brackets.
    fn text(&self) -> String;
}

impl<T: ?Sized> ByName for &Wrap<'_, T> {
    fn text(&self) -> String {
        format!("<{}>", std::any::type_name::<T>())
    }
}

/// A failure that is a value: the type and the text of the error.
pub type Failure = Option<(String, String)>;

/// For `Result`.
pub trait ByResult {
    /// The error, if it is one.
    fn failure(&self) -> Failure;
}

impl<T, E: Debug> ByResult for Wrap<'_, Result<T, E>> {
    fn failure(&self) -> Failure {
        let error = self.0.as_ref().err()?;
        Some((std::any::type_name::<E>().to_owned(), format!("{error:?}")))
    }
}

/// For `Option`.
pub trait ByOption {
    /// `None` as a failure.
    fn failure(&self) -> Failure;
}

impl<T> ByOption for Wrap<'_, Option<T>> {
    fn failure(&self) -> Failure {
        self.0.is_none().then(|| ("None".to_owned(), "None".to_owned()))
    }
}

/// For everything else.
pub trait ByNothing {
    /// No failure.
    fn failure(&self) -> Failure;
}

impl<T: ?Sized> ByNothing for &Wrap<'_, T> {
    fn failure(&self) -> Failure {
        None
    }
}

/// Values that an `@ensures` clause may consume.
pub trait ByClone {
    /// What the clause is given.
    type Given;
    /// A copy.
    fn given(&self) -> Self::Given;
}

impl<T: Clone> ByClone for Wrap<'_, T> {
    type Given = T;
    fn given(&self) -> T {
        self.0.clone()
    }
}

/// Values that cannot be copied are given by reference.
pub trait ByReference {
    /// What the clause is given.
    type Given;
    /// The reference.
    fn given(&self) -> Self::Given;
}

impl<'a, T: ?Sized> ByReference for &Wrap<'a, T> {
    type Given = &'a T;
    fn given(&self) -> &'a T {
        self.0
    }
}
