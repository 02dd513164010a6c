//! How many functions are verified at a time.

/// Memory that the checks of one function may need at once.
const EACH: u64 = 1 << 30;

/// One per core, as far as the memory that is free now goes; at least one.
pub fn of_machine() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    of(cores, memory)
}

fn of(cores: usize, memory: Option<u64>) -> usize {
    let fitting = memory.map_or(cores, |bytes| usize::try_from(bytes / EACH).unwrap_or(usize::MAX));
    cores.min(fitting).max(1)
}

/// `MemAvailable` in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_bounds_what_cores_would_allow() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:    3145728 kB\n"), Some(3 << 30));
        assert_eq!((of(8, Some(3 << 30)), of(2, Some(64 << 30)), of(4, Some(1 << 20)), of(4, None)), (3, 2, 1, 4));
    }
}
