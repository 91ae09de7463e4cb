//! Tests of checks: one for each.

/// Makes a test of each check of [`Store`](crate::store::Store), with the attribute that stands first. It takes one type, a
/// [`Bench`](crate::testing::conformance::Bench) in scope.
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_tests {
    ($(#[$attribute:meta])+ $bench:ty) => {
        $crate::__conformance_store_checks! { [$crate::__conformance_modules] [[$(#[$attribute])+] [$bench] run_one] }
    };
}

/// Makes a test of each check of [`LastingStore`](crate::store::LastingStore) as well, of a
/// [`LastingBench`](crate::testing::conformance::LastingBench).
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_lasting_tests {
    ($(#[$attribute:meta])+ $bench:ty) => {
        $crate::__conformance_tests! { $(#[$attribute])+ $bench }
        $crate::__conformance_lasting_checks! { [$crate::__conformance_modules] [[$(#[$attribute])+] [$bench] run_one_lasting] }
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_modules {
    ([$attributes:tt $bench:tt $run:ident] $($group:ident { $($name:ident: $promise:literal)+ })+) => {
        $(mod $group {
            #[allow(unused_imports)]
            use super::*;
            $($crate::__conformance_test! { $attributes $bench $run $group $name })+
        })+
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_test {
    ([$($attribute:tt)+] [$bench:ty] $run:ident $group:ident $name:ident) => {
        $($attribute)+
        async fn $name() {
            $crate::testing::conformance::$run::<$bench>(concat!(stringify!($group), "::", stringify!($name))).await;
        }
    };
}
