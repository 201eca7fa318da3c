use super::*;

fn meter(memory_bytes: usize) -> Meter {
    Meter::new(&Limits {
        memory_bytes,
        ..Limits::default()
    })
}

#[test]
fn growth_beyond_a_types_maximum_fails_and_costs_nothing() {
    let bytes = (TABLE_ELEMENTS + 1) * ELEMENT_BYTES;
    let mut meter = meter(bytes);
    assert!(!meter.memory_growing(0, 11, Some(10)).unwrap());
    assert!(!meter.table_growing(0, TABLE_ELEMENTS + 1, None).unwrap());
    assert!(meter.memory_growing(0, bytes, Some(bytes)).unwrap());
    assert!(meter.memory_growing(0, 1, None).is_err());
}

#[test]
fn a_failure_without_a_request_to_grow_returns_no_memory_to_the_limit() {
    let mut meter = meter(10);
    assert!(meter.memory_growing(0, 10, None).unwrap());
    for text in UNREPRESENTABLE_SIZES {
        meter.table_grow_failed(wasmtime::Error::msg(text)).unwrap();
    }
    assert!(meter.memory_growing(0, 1, None).is_err());
}

#[test]
fn growth_that_the_machine_cannot_provide_ends_the_call() {
    let failed = meter(10).memory_grow_failed(wasmtime::Error::msg("mmap failed"));
    let abort = failed.unwrap_err().downcast::<Abort>().unwrap();
    assert_eq!(abort, Abort::Machine);
}
