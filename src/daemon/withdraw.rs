use super::Loaded;
use crate::kernel::linux::LinuxKernel;
use crate::kernel::{Kernel, Refusal};
use crate::plan::{self, Objects};
use crate::store::disk::Lock;
use std::path::Path;

/// Removes from the kernel what a stopped daemon left there for the next one: for an owner who wants none. Returns how
/// many addresses and routes that were. Errors: a daemon runs, or the kernel refuses.
pub fn withdraw(loaded: &Loaded) -> Result<usize, String> {
    let run_dir = Path::new(&loaded.run_dir);
    // without the folder nobody has run since the router started
    let _lock = run_dir.exists().then(|| Lock::take(run_dir)).transpose()?;
    let mut kernel = LinuxKernel::open().map_err(|refusal| refusal.message)?;
    let actual = kernel.read().map_err(|refusal| refusal.message)?;
    let ops = plan::diff(&Objects::new(), &actual);
    let refused: Vec<Refusal> = kernel.apply(&ops).into_iter().filter_map(Result::err).collect();
    match refused.first() {
        None => Ok(ops.len()),
        Some(first) => Err(format!("{} of {} are still there: {}", refused.len(), ops.len(), first.message)),
    }
}
