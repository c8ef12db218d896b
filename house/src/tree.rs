//! The files that a rule looks at: ours as git knows them, or a planted few.

use std::fmt;
use std::path::Path;
use std::process::Command;

/// A tree of text files, and the names of the others.
#[derive(Debug)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<File>,
    /// Pictures and fonts: a paper may link to them, and no rule reads them.
    pub others: Vec<String>,
}

/// One text file.
#[derive(Debug)]
pub struct File {
    /// Relative to the workspace, with forward slashes.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    /// The file.
    pub path: String,
    /// Its line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl Breach {
    /// A breach in a line of a file.
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Breach {
        Breach { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Tree {
    /// This workspace: what git tracks or would track. What is ignored is nobody's text.
    ///
    /// # Panics
    /// Where git is missing or this is not a working copy: rules about what is tracked mean nothing there.
    pub fn ours() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output()
            .expect("git lists the files of the working copy");
        assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for path in String::from_utf8_lossy(&listed.stdout).split_terminator('\0').map(str::to_owned) {
            // A file that was deleted and not yet committed is skipped.
            let Ok(bytes) = std::fs::read(root.join(&path)) else { continue };
            match String::from_utf8(bytes) {
                Ok(text) => files.push(File { path, text }),
                Err(_) => others.push(path),
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Tree { files, others }
    }

    /// A tree made for a test.
    pub fn planted(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Tree { files: files.iter().map(file).collect(), others: Vec::new() }
    }

    /// The file of this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is such a file, or a folder that holds one.
    pub fn holds(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let mut paths = self.files.iter().map(|file| &file.path).chain(&self.others);
        paths.any(|known| known == path || known.starts_with(&folder))
    }

    /// The files whose names end so.
    pub fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(end))
    }
}
