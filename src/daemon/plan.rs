use super::Loaded;
use crate::config::Severity;
use crate::kernel::Kernel;
use crate::kernel::linux::{self, LinuxKernel};
use crate::plan::Change;
use crate::router::{Action, Entropy, Event, Router};
use crate::store::{Store, disk};
use serde_json::Value;
use std::path::Path;

/// The answer to `plan`: lives one turn of a router's life with what `file` says and the real kernel's facts, and does
/// nothing of what it wants done. Errors: there is no configuration, or the kernel can't be read.
pub fn plan(loaded: Loaded, file: &Path) -> Result<Value, String> {
    let errors = loaded.lines(Severity::Error, file);
    let Some(mut config) = loaded.config else {
        return Err(format!("no plan without a configuration:\n{}", errors.join("\n")));
    };
    let enabled = std::mem::replace(&mut config.enabled, true);
    let now = linux::boottime();
    let disk = disk::ReadOnly::new(Path::new(&config.run_dir), Path::new(&config.state_dir));
    let (_, found) = Store::open(disk, &linux::boot_id(), now);
    let actual = LinuxKernel::open().and_then(|mut kernel| kernel.read()).map_err(|refusal| refusal.message)?;
    let entropy = Entropy { seed: 0, ula: linux::random(), duid: linux::random(), secret: linux::random() };
    let mut out = Vec::new();
    let mut router = Router::new(found.memory, found.bindings, entropy, now, &mut out);
    router.handle(Event::Kernel(vec![Change::All(actual)]), now, &mut out);
    router.handle(Event::Configure { config: Box::new(config), interfaces: loaded.interfaces }, now, &mut out);
    router.settle(now, &mut out);
    let ops: Vec<_> = out
        .into_iter()
        .filter_map(|action| if let Action::Apply(ops) = action { Some(ops) } else { None })
        .flatten()
        .collect();
    let mut answer = router.plan(&ops, now);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("enabled".into(), enabled.into());
    }
    Ok(answer)
}
