//! Which controllers run.
//!
//! # Source
//! controller-manager `app/helper.go` (`IsControllerEnabled`)

use std::str::FromStr;

/// A controller of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Keeps the status of ResourceQuotas.
    ResourceQuota,
    /// Keeps the pods of DaemonSets.
    DaemonSet,
}

impl Known {
    const ALL: [Self; 2] = [Self::ResourceQuota, Self::DaemonSet];

    /// As kube-controller-manager calls its own.
    fn name(self) -> &'static str {
        match self {
            Self::ResourceQuota => "resourcequota-controller",
            Self::DaemonSet => "daemonset-controller",
        }
    }

    /// Whether it has to be named to run.
    fn is_off_by_default(self) -> bool {
        self == Self::DaemonSet
    }
}

/// A list of controllers, as in `*,-resourcequota-controller`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Controllers(Vec<String>);

impl FromStr for Controllers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
        for word in &words {
            let name = word.strip_prefix('-').unwrap_or(word);
            if name != "*" && Known::ALL.iter().all(|known| known.name() != name) {
                let names = Known::ALL.map(Known::name).join(", ");
                return Err(format!("{name:?} is not in the list of known controllers: {names}"));
            }
        }
        Ok(Self(words))
    }
}

impl Controllers {
    /// Whether a controller runs.
    pub(super) fn run(&self, controller: Known) -> bool {
        let name = controller.name();
        let says = |word: &String| match word.strip_prefix('-') {
            Some(off) if off == name => Some(false),
            None if word == name => Some(true),
            _ => None,
        };
        let has_star = || self.0.iter().any(|word| word == "*") && !controller.is_off_by_default();
        self.0.iter().find_map(says).unwrap_or_else(has_star)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(text: &str) -> Vec<&'static str> {
        let controllers: Controllers = text.parse().unwrap();
        Known::ALL.into_iter().filter(|known| controllers.run(*known)).map(Known::name).collect()
    }

    #[test]
    fn a_controller_that_is_off_by_default_has_to_be_named() {
        assert_eq!(running("*"), ["resourcequota-controller"]);
        assert_eq!(running("*,daemonset-controller"), ["resourcequota-controller", "daemonset-controller"]);
        assert_eq!(running("daemonset-controller"), ["daemonset-controller"]);
        assert_eq!(running("*,-resourcequota-controller,daemonset-controller"), ["daemonset-controller"]);
        assert_eq!(running("-resourcequota-controller"), Vec::<&str>::new());
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let error = "*,-daemonset".parse::<Controllers>().unwrap_err();
        assert_eq!(
            error,
            "\"daemonset\" is not in the list of known controllers: resourcequota-controller, daemonset-controller"
        );
    }
}
