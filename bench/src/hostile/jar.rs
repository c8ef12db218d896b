//! A browser's cookies.

use std::collections::BTreeMap;

/// The cookies of one browser, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Takes what an answer set, `name=value` each; an empty value takes a cookie back.
    pub(super) fn take(&mut self, set: &[String]) {
        for (name, value) in set.iter().filter_map(|cookie| cookie.split_once('=')) {
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The line of a request; empty where there is no cookie.
    pub(super) fn line(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("cookie: {}\r\n", cookies.join("; "))
    }

    /// Nothing but the cookie by which an account knows this browser: whoever comes back tomorrow has it.
    pub(super) fn known_device(&self) -> Jar {
        let kept = self.0.iter().filter(|(name, _)| name.ends_with("-device"));
        Jar(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_kept_by_name_until_they_are_taken_back() {
        let mut jar = Jar::default();
        assert_eq!(jar.line(), "");
        jar.take(&["__Host-a=1".into(), "__Host-a-device=2".into()]);
        jar.take(&["__Host-a=3".into()]);
        assert_eq!(jar.line(), "cookie: __Host-a=3; __Host-a-device=2\r\n");
        assert_eq!(jar.known_device().line(), "cookie: __Host-a-device=2\r\n");
        jar.take(&["__Host-a=".into()]);
        assert_eq!(jar.line(), "cookie: __Host-a-device=2\r\n");
    }
}
