//! The machine that a measurement is made on, as far as the system tells.

use reports::perf::Environment;

use super::subject::THREADS;

/// The machine now. Clock rates are left out: a key made of one changes from run to run.
pub fn describe(threads: Option<usize>) -> Environment {
    let given = |name: &str| match threads {
        Some(threads) => Some(threads.to_string()),
        None => std::env::var(name).ok(),
    };
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    Environment {
        processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        threads: threads.map_or(available, |threads| threads.min(available)),
        memory_bytes: memory(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        load: [load(), None],
        variables: THREADS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), given(name)?)))
            .collect(),
        ceilings: None,
    }
}

/// Load average of one minute.
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn memory() -> Option<u64> {
    let text = field("/proc/meminfo", "MemTotal")?;
    let kib: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The value of the first line that has this name before its colon.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}
