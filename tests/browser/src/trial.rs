//! Tests that need programs which a machine may lack.

use crate::missing;
use libtest_mimic::{Failed, Trial};

/// A test that is counted as ignored where one of these programs is missing, and says so.
pub fn trial<F>(name: &str, programs: &[&str], test: fn() -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    let lacking = missing(programs);
    if let Some(program) = lacking {
        eprintln!("{name} is skipped: {program} is not installed");
    }
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime can be built").block_on(test());
        Ok::<_, Failed>(())
    };
    Trial::test(name, run).with_ignored_flag(lacking.is_some())
}
