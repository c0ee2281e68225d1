//! The log while a run is under way, so that a run that was ended early can go on.
//!
//! A record is appended as soon as its case is judged, in the order in which the threads come to it, and its line is one
//! write: whoever is killed loses the cases it was at, and tears at most the last line. The header says `unfinished` until
//! the finished log takes the journal's place, in the order of the plan. A record follows from its case alone; what depends on
//! all cases (waivers, one shrunk input per cause) is done at the end and from the start, so a run that was interrupted has
//! the log, byte for byte, of one that was not.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use reports::{Header, Log, Record};

use crate::Usage;
use crate::plan::Plan;
use crate::shards;

/// A log to which records are added; locked, so that no second run writes into it.
pub struct Journal {
    /// Nothing, once a record could not be written: what would follow half a line could not be read.
    file: Mutex<Option<File>>,
}

impl Journal {
    /// A new journal, in place of whatever log is there.
    ///
    /// # Errors
    /// When the file cannot be written, or another run is writing it.
    pub fn begin(path: &Path, header: &Header) -> Result<Journal> {
        let file = open(path)?;
        Journal::begin_in(file, header).with_context(|| format!("write {}", path.display()))
    }

    /// Goes on with the journal of the same run, and returns the records that are in it; begins one if there is none.
    ///
    /// # Errors
    /// As [`Journal::begin`]; and [`Usage`] if the file is no journal, that of another run, or a finished log.
    pub fn resume(path: &Path, header: &Header, plan: &Plan) -> Result<(Journal, Vec<Record>)> {
        let mut file = open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
        // What stands behind the last line end was torn.
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
        if bytes.is_empty() {
            let journal = Journal::begin_in(file, header);
            let journal = journal.with_context(|| format!("write {}", path.display()))?;
            return Ok((journal, Vec::new()));
        }
        let refuse = |why: String| Usage(format!("--resume: {}: {why}", path.display()));
        let log = Log::read(bytes.as_slice()).map_err(|error| refuse(error.to_string()))?;
        let records = of_run(log, header, plan).map_err(refuse)?;
        let end = bytes.len() as u64;
        let cut = file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)));
        cut.with_context(|| format!("write {}", path.display()))?;
        Ok((Journal { file: Mutex::new(Some(file)) }, records))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When it cannot be written; from then on nothing is, and nothing is said.
    pub fn add(&self, record: &Record) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_mut().map_or(Ok(()), |file| file.write_all(&line));
        if written.is_err() {
            *file = None;
        }
        written
    }

    fn begin_in(mut file: File, header: &Header) -> std::io::Result<Journal> {
        let mut line = serde_json::to_vec(&Header { unfinished: true, ..header.clone() })?;
        line.push(b'\n');
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&line)?;
        Ok(Journal { file: Mutex::new(Some(file)) })
    }
}

/// The file for reading and writing, with what it holds, and locked.
fn open(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run is writing {}: give another --out", path.display());
            Err(Usage(message).into())
        }
        // Some file systems of clusters know no locks.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("lock {}", path.display()))
        }
    }
}

/// The records of a log, if it is the journal of this run.
fn of_run(log: Log, header: &Header, plan: &Plan) -> Result<Vec<Record>, String> {
    if !log.header.unfinished {
        return Err("the run is finished; without --resume it is made again".to_owned());
    }
    if log.header != (Header { unfinished: true, ..header.clone() }) {
        let what = shards::foreign(&log.header, header);
        return Err(format!("an interrupted run of something else: {what}; give another --out"));
    }
    let mut open: BTreeSet<String> = plan.cases.iter().map(|(_, case)| case.name()).collect();
    match log.records.iter().find(|record| !open.remove(&record.case)) {
        None => Ok(log.records),
        Some(record) => Err(format!("the case {} is there twice, or is not planned", record.case)),
    }
}
