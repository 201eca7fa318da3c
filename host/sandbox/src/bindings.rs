//! The host's side of `wit/`, generated.

wasmtime::component::bindgen!({
    world: "transform",
    path: "../../wit",
    imports: { default: trappable },
});
