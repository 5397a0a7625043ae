//! What an author reads who made a mistake: the place, what is wrong, and what to do.
//!
//! The texts depend on the compiler; after a change run with `TRYBUILD=overwrite`, and read them.

#[test]
fn mistakes_are_compile_errors_that_say_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
