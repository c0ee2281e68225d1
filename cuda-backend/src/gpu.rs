//! The device of a backend: opened at first use, shared by calls in turn, given up after a failure.

use std::sync::{Mutex, PoisonError};

use dispatch::{Device, Fault, Reply, Witness};

use crate::context::Context;
use crate::cuda::{Cache, Cuda};
use crate::driver::Driver;
use crate::session::Session;

/// Opens a device.
type Open = Box<dyn Fn() -> Result<Box<dyn Driver>, Fault> + Send + Sync>;

/// A device and how to get it back after it failed.
pub struct Gpu {
    device: Device,
    open: Open,
    context: Mutex<Option<Context>>,
}

impl Gpu {
    /// The first GPU, else the emulated device, else none.
    pub fn of_this_machine() -> Gpu {
        let asked = std::env::var("CONCORD_CUDA").unwrap_or_default();
        match asked.as_str() {
            "none" => return Gpu::absent("CONCORD_CUDA is `none`".to_owned()),
            "emulated" => return Gpu::emulated_or("CONCORD_CUDA is `emulated`"),
            _ => {}
        }
        let cuda = Gpu::opened_by(|| Ok(Box::new(Cuda::open(&Cache::of_this_user())?)));
        match &cuda.device {
            Device::Absent { why } => Gpu::emulated_or(why),
            Device::Cuda { .. } | Device::Emulated | Device::Cpu => cuda,
        }
    }

    /// A device that `open` opens; if it cannot, the device is absent and the reason is in the manifest.
    pub fn opened_by(
        open: impl Fn() -> Result<Box<dyn Driver>, Fault> + Send + Sync + 'static,
    ) -> Gpu {
        match open() {
            Ok(driver) => Gpu {
                device: driver.device(),
                open: Box::new(open),
                context: Mutex::new(Some(Context::new(driver))),
            },
            Err(fault) => Gpu::absent(fault.to_string()),
        }
    }

    fn absent(why: String) -> Gpu {
        let reason = why.clone();
        Gpu {
            device: Device::Absent { why },
            open: Box::new(move || Err(Fault::Unsupported(format!("no device: {reason}")))),
            context: Mutex::new(None),
        }
    }

    #[cfg(emulated)]
    fn emulated_or(_: &str) -> Gpu {
        Gpu::opened_by(|| Ok(Box::new(crate::emulated::Emulated::default())))
    }

    #[cfg(not(emulated))]
    fn emulated_or(why: &str) -> Gpu {
        Gpu::absent(format!("{why}; and no C++ compiler was there to build the emulated device"))
    }

    /// What it is.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Runs one call; the reply says how many kernels were launched and how many bytes copied for it.
    ///
    /// # Errors
    /// Those of the call. After one that is not a refusal the device is given up, and the next call opens it anew.
    pub fn call(
        &self,
        work: impl FnOnce(&mut Session<'_>) -> Result<Reply, Fault>,
    ) -> Result<Reply, Fault> {
        // A call that panicked has left a device that nothing is known about; it is replaced below.
        let poisoned = self.context.is_poisoned();
        let mut held = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        if poisoned {
            *held = None;
            self.context.clear_poison();
        }
        let context = match &mut *held {
            Some(context) => context,
            none => none.insert(Context::new((self.open)()?)),
        };
        let mut session = Session::new(context);
        let result = work(&mut session).map(|reply| {
            let (launches, moved) = (Some(session.launches), Some(session.traffic));
            Reply { witness: Witness::Counted { calls: 1, launches, moved }, ..reply }
        });
        drop(session);
        if matches!(&result, Err(fault) if !matches!(fault, Fault::Rejected { .. })) {
            *held = None;
        }
        result
    }
}
