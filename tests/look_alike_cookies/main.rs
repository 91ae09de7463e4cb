//! Cookies that are not what they seem: what a hostile sibling domain, page or client can send must neither be taken for
//! ours nor keep ours from being found.
//!
//! | module | subject |
//! |---|---|
//! | `names` | names that look like ours after some decoding |
//! | `several` | many cookies under our name |
//! | `floods` | a megabyte of them |
//! | `made_up` | values that we did not seal, or not for this |
//! | `cross_site` | requests from other sites, where "no cookie" does not mean "no session" |

#[path = "../common/mod.rs"]
mod common;
mod site;

mod cross_site;
mod floods;
mod made_up;
mod names;
mod several;
