//! What the tools of a machine say about its NVIDIA devices: `nvidia-smi` about the devices, the kernel's log about what they
//! reported to it. A tool that is not there, or that may not be asked, says nothing, and what it knows stays unknown.

use std::path::PathBuf;
use std::process::Command;

use dispatch::{Device, Digest};
use reports::certificate::{Clocks, DeviceState};

/// What every driver can be asked for, in the order of [`Gpu::parse`].
const DEVICE: &str = "uuid,name,pci.bus_id,vbios_version,memory.total,mig.mode.current,ecc.mode.current,\
                      ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total";
/// Asked for on its own: a driver that does not know one field answers nothing.
const CLOCKS: &str = "uuid,clocks.max.sm,clocks_throttle_reasons.active";
/// Of the reasons for lower clocks (`nvmlClocksThrottleReasons`) those that something is wrong: hardware slowdown, heat, the power brake.
const SLOWED: u64 = 0x8 | 0x20 | 0x40 | 0x80;

/// The programs that are asked.
pub(super) struct Tools {
    smi: PathBuf,
    kernel_log: PathBuf,
}

impl Default for Tools {
    fn default() -> Tools {
        Tools { smi: "nvidia-smi".into(), kernel_log: "dmesg".into() }
    }
}

impl Tools {
    /// Every device of the machine; none where the backend computes on none, or the driver's tool is not there.
    pub(super) fn gpus(&self, device: &Device) -> Vec<Gpu> {
        let Device::Cuda { .. } = device else { return Vec::new() };
        let log = said(Command::new(&self.kernel_log));
        let clocks = self.asked(CLOCKS);
        let mut gpus: Vec<Gpu> = self.asked(DEVICE).iter().filter_map(|l| Gpu::parse(l)).collect();
        for gpu in &mut gpus {
            gpu.xids = log.as_ref().map(|log| log.lines().filter(|l| gpu.is_in(l)).count() as u64);
            let own = clocks.iter().find(|line| line[0] == gpu.uuid);
            gpu.clocks = own.and_then(|line| parse_clocks(line));
        }
        gpus
    }

    /// A line of fields for each device.
    fn asked(&self, fields: &str) -> Vec<Vec<String>> {
        let mut command = Command::new(&self.smi);
        command.args([&format!("--query-gpu={fields}"), "--format=csv,noheader,nounits"]);
        let text = said(command).unwrap_or_default();
        let split = |line: &str| line.split(',').map(|field| field.trim().to_owned()).collect();
        text.lines().map(split).collect()
    }
}

/// What a program prints, if it is there and succeeds.
fn said(mut command: Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// One device at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gpu {
    uuid: String,
    pub(super) name: String,
    bus: String,
    vbios: String,
    mem_bytes: u64,
    mig: bool,
    ecc: bool,
    errors: u64,
    xids: Option<u64>,
    clocks: Option<Clocks>,
}

impl Gpu {
    fn parse(fields: &[String]) -> Option<Gpu> {
        let [uuid, name, bus, vbios, mib, mig, ecc, corrected, uncorrected] = fields else {
            return None;
        };
        // A device without the counter says `[N/A]`.
        let count = |text: &String| text.parse::<u64>().unwrap_or(0);
        Some(Gpu {
            uuid: uuid.clone(),
            name: name.clone(),
            bus: bus.to_lowercase(),
            vbios: vbios.clone(),
            mem_bytes: count(mib) << 20,
            mig: mig == "Enabled",
            ecc: ecc == "Enabled",
            errors: count(corrected) + count(uncorrected),
            xids: None,
            clocks: None,
        })
    }

    /// Whether a line of the kernel's log is an error of this device: `NVRM: Xid (PCI:0000:3b:00): 79, ...`, where the driver's tool
    /// says `00000000:3b:00.0`.
    fn is_in(&self, line: &str) -> bool {
        let slot = |bus: &str| -> Option<(u32, String)> {
            let (domain, rest) = bus.split_once(':')?;
            let slot = rest.split('.').next().unwrap_or(rest).to_lowercase();
            Some((u32::from_str_radix(domain, 16).ok()?, slot))
        };
        let at = line.split_once("NVRM: Xid (PCI:").and_then(|(_, rest)| rest.split_once(')'));
        at.is_some_and(|(bus, _)| slot(bus).is_some() && slot(bus) == slot(&self.bus))
    }

    /// What is certified of the device: as it was before, with what was counted until `after`.
    pub(super) fn until(&self, after: &[Gpu]) -> Option<DeviceState> {
        let after = after.iter().find(|gpu| gpu.uuid == self.uuid)?;
        let both = self.xids.zip(after.xids);
        Some(DeviceState {
            uuid_sha256: Digest::of_bytes(self.uuid.as_bytes()),
            vbios: self.vbios.clone(),
            mem_bytes: self.mem_bytes,
            mig: self.mig,
            ecc_enabled: self.ecc,
            ecc_errors_delta: after.errors.saturating_sub(self.errors),
            // The log forgets what is old.
            xid_errors: both.map(|(before, after)| after.saturating_sub(before)),
            clocks: self.clocks.zip(after.clocks).map(|(before, after)| before.and(after)),
        })
    }
}

fn parse_clocks(fields: &[String]) -> Option<Clocks> {
    let [_, most, reasons] = fields else { return None };
    let reasons = u64::from_str_radix(reasons.strip_prefix("0x")?, 16).ok()?;
    Some(Clocks { max_mhz: most.parse().ok()?, slowed: reasons & SLOWED != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Vec<String> {
        line.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn a_line_of_the_driver_is_read() {
        let line = "GPU-5a1, NVIDIA H200, 00000000:3B:00.0, 96.00, 143771, Disabled, Enabled, 3, 1";
        let gpu = Gpu::parse(&fields(line)).unwrap();
        assert_eq!(
            (gpu.name.as_str(), gpu.errors, gpu.ecc, gpu.mig),
            ("NVIDIA H200", 4, true, false)
        );
        assert_eq!(gpu.mem_bytes, 143_771 << 20);
        let plain = "GPU-1, A, 00000000:01:00.0, 1, 8192, [N/A], [N/A], [N/A], [N/A]";
        let plain = Gpu::parse(&fields(plain)).unwrap();
        assert!(!plain.ecc && plain.errors == 0);
        assert_eq!(Gpu::parse(&fields("NVIDIA-SMI has failed")), None);
        for (line, own) in [
            ("[ 12.5] NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.", true),
            ("[ 12.5] NVRM: Xid (PCI:0000:3c:00): 79", false),
            ("[ 12.5] NVRM: Xid (PCI:0001:3b:00): 79", false),
            ("[ 12.5] NVRM: loading", false),
        ] {
            assert_eq!(gpu.is_in(line), own, "{line}");
        }
    }

    #[cfg(unix)]
    mod with_tools {
        use super::*;
        use std::os::unix::fs::PermissionsExt;
        use std::path::Path;

        fn tool(dir: &Path, name: &str, script: &str) -> PathBuf {
            let path = dir.join(name);
            std::fs::write(&path, format!("#!/bin/sh\ncd \"{}\"\n{script}", dir.display()))
                .unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            path
        }

        /// A driver with two devices; `errors` and `reasons` are read anew each time, and the clocks only if it knows them.
        const SMI: &str = "\
case \"$1\" in
  *clocks*) [ -f reasons ] || { echo 'Field \"clocks.max.sm\" is not a valid field to query.'; exit 2; }
    echo \"GPU-a, 1980, $(cat reasons)\"; echo 'GPU-b, 1980, 0x0000000000000001' ;;
  *) echo \"GPU-a, NVIDIA H200, 00000000:3B:00.0, 96.00, 143771, Disabled, Enabled, $(cat errors), 0\"
     echo 'GPU-b, NVIDIA H200, 00000000:5E:00.0, 96.00, 143771, Disabled, Enabled, 0, 0' ;;
esac
";

        fn cuda() -> Device {
            let text = |text: &str| text.to_owned();
            let (name, capability) = (text("NVIDIA H200"), text("9.0"));
            Device::Cuda { name, capability, driver: text("13.0"), nvrtc: text("13.0") }
        }

        #[test]
        fn what_is_counted_and_seen_between_begin_and_end_is_stated() {
            let dir = tempfile::tempdir().unwrap();
            let set = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
            let tools = Tools {
                smi: tool(dir.path(), "smi", SMI),
                kernel_log: tool(dir.path(), "log", "cat messages"),
            };
            let xid = "NVRM: Xid (PCI:0000:3b:00): 48, DBE\n";
            set("errors", "7");
            set("messages", xid);
            set("reasons", "0x0000000000000001");
            let before = tools.gpus(&cuda());
            let late = [xid, xid, "NVRM: Xid (PCI:0000:5e:00): 79\n", xid].concat();
            set("errors", "9");
            set("messages", &late);
            set("reasons", "0x0000000000000048");
            let after = tools.gpus(&cuda());
            let states: Vec<DeviceState> = before.iter().filter_map(|g| g.until(&after)).collect();
            let counted = states.iter().map(|s| (s.ecc_errors_delta, s.xid_errors));
            assert_eq!(counted.collect::<Vec<_>>(), [(2, Some(2)), (0, Some(1))]);
            let clocks = states.iter().map(|s| s.clocks.unwrap());
            assert_eq!(
                clocks.map(|c| (c.max_mhz, c.slowed)).collect::<Vec<_>>(),
                [(1980, true), (1980, false)]
            );
            assert_eq!(tools.gpus(&Device::Emulated), []);
        }

        #[test]
        fn what_a_tool_does_not_say_stays_unknown() {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("errors"), "7").unwrap();
            let smi = tool(dir.path(), "smi", SMI);
            let kernel_log = tool(dir.path(), "log", "echo 'Operation not permitted' >&2; exit 1");
            let gpus = Tools { smi, kernel_log }.gpus(&cuda());
            let state = gpus[0].until(&gpus).unwrap();
            assert_eq!((state.xid_errors, state.clocks, state.ecc_errors_delta), (None, None, 0));
            let none = Tools { smi: dir.path().join("no"), kernel_log: dir.path().join("no") };
            assert_eq!(none.gpus(&cuda()), []);
        }
    }
}
