//! What is written can be read, and what cannot be read is named.

mod sample;

use reports::{Log, LogError, Outcome, Ratio, decide};

fn written(log: &Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    log.write(&mut bytes).expect("a vector takes all");
    bytes
}

#[track_caller]
fn check_error(bytes: &[u8], expected: &str) {
    let error = Log::read(bytes).expect_err("an error");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_log_survives_the_round_trip() {
    for log in [sample::failing(), sample::conformant(), sample::broken()] {
        let bytes = written(&log);
        let read = Log::read(&*bytes).unwrap();
        assert_eq!(read, log);
        assert_eq!(written(&read), bytes);
    }
}

#[test]
fn the_log_can_be_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    sample::failing().write(&file).unwrap();
    let input = std::io::BufReader::new(file.reopen().unwrap());
    assert_eq!(Log::read(input).unwrap(), sample::failing());
}

#[test]
fn ratios_that_are_not_finite_survive() {
    let mut log = sample::conformant();
    let ratios = [f64::NAN, f64::INFINITY, 0.1 + 0.2, f64::MIN_POSITIVE];
    for (record, ratio) in log.records.iter_mut().zip(ratios) {
        record.checks[0].worst = Ratio(ratio);
    }
    let bytes = written(&log);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(r#""worst":"NaN""#) && text.contains(r#""worst":"Infinity""#));
    let read = Log::read(&*bytes).unwrap();
    for (record, ratio) in read.records.iter().zip(ratios) {
        let got = record.checks[0].worst.0;
        // NaN equals nothing, itself included.
        assert!(got == ratio || (got.is_nan() && ratio.is_nan()), "{got} for {ratio}");
    }
}

#[test]
fn a_log_cut_within_a_line_names_the_line() {
    let bytes = written(&sample::conformant());
    let end_of_third =
        bytes.split_inclusive(|&b| b == b'\n').take(3).map(<[u8]>::len).sum::<usize>();
    let error = Log::read(&bytes[..end_of_third - 20]).unwrap_err().to_string();
    assert!(error.starts_with("line 3 of the log is not a record: EOF while parsing"), "{error}");
    assert!(!error.contains("line 1"), "{error}");
}

#[test]
fn a_log_cut_between_lines_is_found_by_the_decision() {
    let bytes = written(&sample::conformant());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    let cut = lines[..lines.len() - 1].concat();
    let log = Log::read(&*cut).unwrap();
    assert_eq!(decide(&log).outcome, Outcome::Infrastructure);
}

#[test]
fn a_corrupt_line_is_named() {
    let mut bytes = written(&sample::conformant());
    let at = bytes.iter().position(|&b| b == b'\n').unwrap() + 10;
    bytes[at] = 0xff;
    let error = Log::read(&*bytes).unwrap_err();
    assert!(matches!(error, LogError::Line { line: 2, expected: "record", .. }), "{error}");
    check_error(b"{}\n", "line 1 of the log is not a header: missing field `format` at column 2");
    check_error(b"\n", "line 1 of the log is not a header: EOF while parsing a value at column 0");
}

#[test]
fn an_unknown_verdict_is_not_guessed() {
    let text = String::from_utf8(written(&sample::conformant())).unwrap();
    let text = text.replacen(r#""verdict":"pass""#, r#""verdict":"probably""#, 1);
    let error = Log::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 2 of the log is not a record: unknown variant `probably`"));
}

#[test]
fn an_empty_file_and_another_format_say_so() {
    check_error(b"", "the log is empty, expected a header line");
    check_error(b"{\"format\":2}\n", "the log has format 2, this version reads format 1");
}
