//! Texts with manifests, from files, folders and standard input.

#![expect(clippy::disallowed_methods, reason = "this is the edge where files are read")]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user would name it, or `standard input`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A path that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SourceError {
    /// The path.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl SourceError {
    fn new(path: &Path, error: &io::Error) -> Self {
        let message = match error.kind() {
            io::ErrorKind::NotFound => "no such file or folder".to_owned(),
            io::ErrorKind::InvalidData => "not a text in UTF-8".to_owned(),
            _ => error.to_string(),
        };
        Self { path: path.display().to_string(), message }
    }
}

/// Reads all texts at a path: a file, a folder with every `*.yaml`, `*.yml` and `*.json` below it in path order, or `-`
/// for standard input.
///
/// # Errors
/// Each path that can't be read, beside what can.
pub fn read(path: &Path) -> (Vec<Source>, Vec<SourceError>) {
    if path == Path::new("-") {
        return match read_standard_input() {
            Ok(source) => (vec![source], Vec::new()),
            Err(error) => (Vec::new(), vec![error]),
        };
    }
    let mut files = Vec::new();
    let mut errors = Vec::new();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => find(path, 0, &mut files, &mut errors),
        Ok(_) => files.push(path.to_owned()),
        Err(error) => errors.push(SourceError::new(path, &error)),
    }
    let mut sources = Vec::with_capacity(files.len());
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) => sources.push(Source { name: file.display().to_string(), text }),
            Err(error) => errors.push(SourceError::new(&file, &error)),
        }
    }
    (sources, errors)
}

fn read_standard_input() -> Result<Source, SourceError> {
    const NAME: &str = "standard input";
    let mut text = String::new();
    match io::stdin().lock().read_to_string(&mut text) {
        Ok(_) => Ok(Source { name: NAME.to_owned(), text }),
        Err(error) => Err(SourceError::new(Path::new(NAME), &error)),
    }
}

/// How deep folders are searched; links between folders may form a circle.
const FOLDER_DEPTH_LIMIT: usize = 64;

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, errors: &mut Vec<SourceError>) {
    let entries = match list(folder) {
        Ok(entries) => entries,
        Err(error) => return errors.push(error),
    };
    for entry in entries {
        if entry.is_dir() {
            if depth < FOLDER_DEPTH_LIMIT {
                find(&entry, depth + 1, files, errors);
            }
        } else if is_manifest(&entry) {
            files.push(entry);
        }
    }
}

/// What a folder holds, in order of path.
fn list(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let fail = |error: io::Error| SourceError::new(folder, &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        entries.push(entry.map_err(fail)?.path());
    }
    entries.sort();
    Ok(entries)
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

/// Reads the static pod manifests of a kubelet's folder: every file whose name does not begin with a dot, whatever its
/// extension, in order of name; folders inside are left alone.
///
/// # Errors
/// Each path that can't be read, beside what can.
///
/// # Source
/// kubernetes `pkg/kubelet/config/file.go` (`extractFromDir`)
pub fn read_static_pods(folder: &Path) -> (Vec<Source>, Vec<SourceError>) {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    let entries = match list(folder) {
        Ok(entries) => entries,
        Err(error) => return (sources, vec![error]),
    };
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || !entry.is_file() {
            continue;
        }
        match fs::read_to_string(&entry) {
            Ok(text) => sources.push(Source { name: entry.display().to_string(), text }),
            Err(error) => errors.push(SourceError::new(&entry, &error)),
        }
    }
    (sources, errors)
}
