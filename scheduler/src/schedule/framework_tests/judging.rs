//! Plugins that keep pods off nodes, and those that make room.

use super::*;

/// # Source
/// `TestRunPreFilterPlugins`
#[test]
fn pre_filter_plugins() {
    use Code::{Error, Skip, Success, Unschedulable, UnschedulableAndUnresolvable};
    // What the plugins say, what the framework says then, and how many filters judge nodes.
    let rows: [(&str, &[Code], Code, Option<usize>); 7] = [
        ("all PreFilter returned success", &[Success, Success], Success, Some(2)),
        (
            "one PreFilter plugin returned success, but another PreFilter plugin returned non-success",
            &[Success, Error],
            Error,
            None,
        ),
        (
            "one PreFilter plugin returned skip, but another PreFilter plugin returned non-success",
            &[Skip, Error],
            Error,
            None,
        ),
        ("all PreFilter plugins returned skip", &[Skip, Skip, Skip], Success, Some(0)),
        ("some PreFilter plugins returned skip", &[Skip, Success, Skip, Success], Success, Some(2)),
        (
            "one PreFilter plugin returned Unschedulable, but another PreFilter plugin should be executed",
            &[Unschedulable, Success],
            Unschedulable,
            Some(1),
        ),
        (
            "one PreFilter plugin returned UnschedulableAndUnresolvable, and all other plugins aren't executed",
            &[UnschedulableAndUnresolvable, Error],
            UnschedulableAndUnresolvable,
            None,
        ),
    ];
    for (name, codes, expected, filters) in rows {
        let made_up = |code: &Code| (MadeUp { pre_filter: Some(*code), ..MadeUp::default() }, 1);
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let answer = with_nodes(&["node1"], |pod, snapshot| match pre_filter(pod, snapshot, &profile) {
            PreFiltered::Run(filters) => (Success, Some(filters.count())),
            PreFiltered::Rejected { status, filters, .. } => {
                (status.code, filters.map(|filters| filters.count()))
            }
        });
        assert_eq!(answer, (expected, filters), "{name}");
    }
}

/// # Source
/// `TestFilterPlugins`
#[test]
fn filter_plugins() {
    use Code::{Error, Skip, Success, Unschedulable, UnschedulableAndUnresolvable};
    let rows: [(&str, &[Code], Code, &str); 12] = [
        ("SuccessFilter", &[Success], Success, ""),
        ("ErrorFilter", &[Error], Error, "plugin-1"),
        ("UnschedulableFilter", &[Unschedulable], Unschedulable, "plugin-1"),
        (
            "UnschedulableAndUnresolvableFilter",
            &[UnschedulableAndUnresolvable],
            UnschedulableAndUnresolvable,
            "plugin-1",
        ),
        ("ErrorAndErrorFilters", &[Error, Error], Error, "plugin-1"),
        ("UnschedulableAndUnschedulableFilters", &[Unschedulable, Unschedulable], Unschedulable, "plugin-1"),
        (
            "UnschedulableAndUnschedulableAndUnresolvableFilters",
            &[UnschedulableAndUnresolvable, Unschedulable],
            UnschedulableAndUnresolvable,
            "plugin-1",
        ),
        ("SuccessAndSuccessFilters", &[Success, Success], Success, ""),
        ("SuccessAndSkipFilters", &[Success, Skip], Success, ""),
        ("ErrorAndSuccessFilters", &[Error, Success], Error, "plugin-1"),
        ("SuccessAndErrorFilters", &[Success, Error], Error, "plugin-2"),
        ("SuccessAndUnschedulableFilters", &[Success, Unschedulable], Unschedulable, "plugin-2"),
    ];
    for (name, codes, code, plugin) in rows {
        let made_up = |code: &Code| {
            // A filter that is skipped was so at PreFilter.
            let (pre_filter, filter) = if *code == Skip { (Skip, Error) } else { (Success, *code) };
            (MadeUp { pre_filter: Some(pre_filter), filter: Some(filter), ..MadeUp::default() }, 1)
        };
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let said = with_nodes(&["node1"], |pod, snapshot| {
            let PreFiltered::Run(filters) = pre_filter(pod, snapshot, &profile) else { unreachable!() };
            filters.check(0)
        });
        let message = match code {
            Success => String::new(),
            Error => format!("running {plugin:?} filter plugin: {REASON}"),
            _ => REASON.to_owned(),
        };
        assert_eq!((said.code, said.plugin, said.message()), (code, plugin, message), "{name}");
    }
}

/// # Source
/// `TestPostFilterPlugins`
#[test]
fn post_filter_plugins() {
    use Code::{Error, Success, Unschedulable, UnschedulableAndUnresolvable};
    let both = format!("{REASON}, {REASON}");
    let rows: [(&str, &[Code], &str); 6] = [
        ("a single plugin makes a Pod schedulable", &[Success], REASON),
        (
            "plugin1 failed to make a Pod schedulable, followed by plugin2 which makes the Pod schedulable",
            &[Unschedulable, Success],
            REASON,
        ),
        (
            "plugin1 makes a Pod schedulable, followed by plugin2 which cannot make the Pod schedulable",
            &[Success, Unschedulable],
            REASON,
        ),
        ("plugin1 fails, followed by plugin2 which makes the Pod schedulable", &[Error, Success], REASON),
        (
            "plugin1 failed to make a Pod schedulable, followed by plugin2 which makes the Pod unresolvable",
            &[Unschedulable, UnschedulableAndUnresolvable],
            REASON,
        ),
        ("both plugins failed to make a Pod schedulable", &[Unschedulable, Unschedulable], &both),
    ];
    for (name, codes, expected) in rows {
        let made_up = |code: &Code| {
            let filter = Some(Unschedulable);
            (MadeUp { filter, post_filter: Some(*code), ..MadeUp::default() }, 1)
        };
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let outcome = with_nodes(&["node1"], |pod, snapshot| {
            schedule(pod, snapshot, &profile, &mut CycleState::default())
        });
        let Outcome::Unschedulable(error) = outcome else { unreachable!() };
        assert_eq!(error.post_filter_message, expected, "{name}");
    }
}

/// # Source
/// `TestReservePlugins`
#[test]
fn reserve_plugins() {
    use Code::{Error, Success, Unschedulable};
    let failed = |plugin: &str| (Error, "", format!("running Reserve plugin {plugin:?}: {REASON}"));
    let refused = |plugin| (Unschedulable, plugin, REASON.to_owned());
    let rows = [
        ("NoReservePlugin", vec![], None),
        ("SuccessReservePlugins", vec![Success], None),
        ("UnschedulableReservePlugin", vec![Unschedulable], Some(refused("plugin-1"))),
        ("ErrorReservePlugin", vec![Error], Some(failed("plugin-1"))),
        ("SuccessSuccessReservePlugins", vec![Success, Success], None),
        ("ErrorErrorReservePlugins", vec![Error, Error], Some(failed("plugin-1"))),
        ("SuccessErrorReservePlugins", vec![Success, Error], Some(failed("plugin-2"))),
        ("ErrorSuccessReservePlugin", vec![Error, Success], Some(failed("plugin-1"))),
        ("UnschedulableAndSuccessReservePlugin", vec![Unschedulable, Success], Some(refused("plugin-1"))),
    ];
    for (name, codes, expected) in rows {
        let made_up = |code| (MadeUp { reserve: Some(code), ..MadeUp::default() }, 1);
        let profile = profile(&codes.into_iter().map(made_up).collect::<Vec<_>>());
        let said = with_nodes(&["node1"], |pod, snapshot| profile.reserve(pod, snapshot, 0).err());
        let said = said.map(|status| (status.code, status.plugin, status.message()));
        assert_eq!(said, expected, "{name}");
    }
}
