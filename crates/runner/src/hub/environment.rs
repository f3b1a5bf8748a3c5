//! The environment variables of the hub's own tools.

use std::path::PathBuf;

use super::error::HubError;

/// Where the hub is and how it is used, as the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `HF_ENDPOINT`: the hub's address.
    pub endpoint: String,
    /// `HF_HUB_CACHE`, or `hub` in `HF_HOME`, or `huggingface/hub` in `XDG_CACHE_HOME` or in `.cache` of the home folder.
    pub cache: PathBuf,
    /// `HF_TOKEN` (or `HUGGING_FACE_HUB_TOKEN`, as it was called), or the file that `HF_TOKEN_PATH` names, or `token` in `HF_HOME`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE` (or `TRANSFORMERS_OFFLINE`): nothing is asked for.
    pub offline: bool,
}

impl Environment {
    /// That of the process.
    ///
    /// # Errors
    /// [`HubError::NoCache`] when there is neither a home folder nor a variable that names a cache.
    pub fn of_process() -> Result<Self, HubError> {
        Self::read(|name| std::env::var(name).ok(), std::env::home_dir())
    }

    fn read(variable: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Result<Self, HubError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let hugging_face = variable("HF_HOME").map(PathBuf::from).or_else(|| {
            let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
            Some(
                cache
                    .or_else(|| home.map(|home| home.join(".cache")))?
                    .join("huggingface"),
            )
        });
        let cache = variable("HF_HUB_CACHE")
            .or_else(|| variable("HUGGINGFACE_HUB_CACHE"))
            .map(PathBuf::from)
            .or_else(|| hugging_face.as_ref().map(|folder| folder.join("hub")))
            .ok_or(HubError::NoCache)?;
        let token_file = variable("HF_TOKEN_PATH")
            .map(PathBuf::from)
            .or_else(|| hugging_face.map(|folder| folder.join("token")));
        let token = variable("HF_TOKEN").or_else(|| variable("HUGGING_FACE_HUB_TOKEN"));
        let token = token.or_else(|| std::fs::read_to_string(token_file?).ok());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let offline = variable("HF_HUB_OFFLINE")
            .or_else(|| variable("TRANSFORMERS_OFFLINE"))
            .is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            cache,
            token: token
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
            offline,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Environment {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(find, Some("/home/me".into())).expect("a home folder is enough")
    }

    #[test]
    fn the_defaults_are_the_python_library_s() {
        let found = read(&[]);
        assert_eq!(found.endpoint, "https://huggingface.co");
        assert_eq!(found.cache, PathBuf::from("/home/me/.cache/huggingface/hub"));
        assert_eq!((found.token, found.offline), (None, false));
        assert!(matches!(Environment::read(|_| None, None), Err(HubError::NoCache)));
    }

    #[test]
    fn each_variable_is_honoured() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("token"), "from a file\n").expect("written");
        let home = folder.path().to_str().expect("a readable path");
        let found = read(&[
            ("HF_HOME", home),
            ("HF_HUB_OFFLINE", "TRUE"),
            ("HF_ENDPOINT", "http://mirror/"),
        ]);
        assert_eq!(found.cache, folder.path().join("hub"));
        assert_eq!(found.token.as_deref(), Some("from a file"));
        assert!(found.offline);
        assert_eq!(found.endpoint, "http://mirror");
        let found = read(&[
            ("HF_HOME", home),
            ("HF_HUB_CACHE", "/big"),
            ("HF_TOKEN", "hf_x"),
            ("HF_HUB_OFFLINE", "0"),
        ]);
        assert_eq!(
            read(&[("XDG_CACHE_HOME", "/x")]).cache,
            PathBuf::from("/x/huggingface/hub")
        );
        assert!(read(&[("TRANSFORMERS_OFFLINE", "1")]).offline);
        assert_eq!(found.cache, PathBuf::from("/big"));
        assert_eq!(found.token.as_deref(), Some("hf_x"));
        assert!(!found.offline);
    }
}
