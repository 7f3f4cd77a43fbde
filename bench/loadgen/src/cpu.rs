//! Reads how much CPU time another process has used, exactly.

use std::fs;
use std::io;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

/// The CPU clock of one process: all its threads, also those that have ended.
pub struct ProcessCpu {
    pid: i32,
    clock: ClockId,
}

/// What a [`ProcessCpu`] showed at one moment.
#[derive(Clone, Copy, Debug)]
pub struct CpuReading {
    /// To the nanosecond, from the scheduler's own accounting.
    total: Duration,
    /// In ticks of 10 ms: good enough to split the total, too coarse to be it.
    user_ticks: u64,
    system_ticks: u64,
}

/// CPU time between two readings.
#[derive(Clone, Copy, Debug)]
pub struct CpuTime {
    pub user: Duration,
    pub system: Duration,
}

impl ProcessCpu {
    pub fn of(pid: i32) -> io::Result<Self> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid))?;
        Ok(Self { pid, clock })
    }

    pub fn read(&self) -> io::Result<CpuReading> {
        let (user_ticks, system_ticks) =
            parse_stat(&fs::read_to_string(format!("/proc/{}/stat", self.pid))?)
                .ok_or_else(|| io::Error::other("/proc/PID/stat has an unknown form"))?;
        Ok(CpuReading {
            total: self.clock.now()?.into(),
            user_ticks,
            system_ticks,
        })
    }
}

impl CpuReading {
    pub fn until(self, later: CpuReading) -> CpuTime {
        let total = later.total.saturating_sub(self.total);
        let user = later.user_ticks.saturating_sub(self.user_ticks);
        let system = later.system_ticks.saturating_sub(self.system_ticks);
        let user_share = user as f64 / (user + system).max(1) as f64;
        CpuTime {
            user: total.mul_f64(user_share),
            system: total.mul_f64(1.0 - user_share),
        }
    }
}

/// `utime` and `stime`: the 12th and 13th field after the command, which may hold spaces and
/// brackets itself.
fn parse_stat(line: &str) -> Option<(u64, u64)> {
    let (_, after_command) = line.rsplit_once(')')?;
    let mut fields = after_command.split_whitespace().skip(11);
    let user = fields.next()?.parse().ok()?;
    let system = fields.next()?.parse().ok()?;
    Some((user, system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_name_may_hold_anything() {
        let line = "7 (a) b (c) R 1 1 1 0 -1 4194304 9 0 0 0 31 12 0 0 20 0 1 0 5 1 1";
        assert_eq!(parse_stat(line), Some((31, 12)));
        assert_eq!(parse_stat("7 nothing"), None);
    }

    #[test]
    fn the_total_is_split_by_ticks() {
        let reading = |total, user_ticks, system_ticks| CpuReading {
            total: Duration::from_millis(total),
            user_ticks,
            system_ticks,
        };
        let spent = reading(100, 10, 10).until(reading(1100, 40, 80));
        assert_eq!(spent.user, Duration::from_millis(300));
        assert_eq!(spent.system, Duration::from_millis(700));
    }

    #[test]
    fn ones_own_clock_moves() {
        let cpu = ProcessCpu::of(std::process::id() as i32).unwrap();
        let before = cpu.read().unwrap();
        while cpu.read().unwrap().total == before.total {}
    }
}
