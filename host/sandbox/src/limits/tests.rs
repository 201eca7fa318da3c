use super::*;

/// I1: exactly what decides a result is in the fingerprint.
#[test]
fn each_limit_but_the_wall_time_is_in_the_fingerprint() {
    let base = Limits::default();
    let others = [
        Limits {
            fuel: 1,
            ..base.clone()
        },
        Limits {
            memory_bytes: 1,
            ..base.clone()
        },
        Limits {
            hostcall_bytes: 1,
            ..base.clone()
        },
        Limits {
            output_bytes: 1,
            ..base.clone()
        },
        Limits {
            requests: 1,
            ..base.clone()
        },
        Limits {
            tokens: Some(1),
            ..base.clone()
        },
    ];
    for other in others {
        assert_ne!(other.parts(), base.parts(), "{other:?}");
    }
    let unlimited_time = Limits {
        wall: Duration::ZERO,
        ..base.clone()
    };
    assert_eq!(unlimited_time.parts(), base.parts());
}
