use super::*;

fn layer(name: &str, inputs: &[&str]) -> Box {
    Box {
        name: name.to_owned(),
        inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
        ..Box::default()
    }
}

/// Returns whether two boxes have a point in common.
fn overlap(one: Point, other: Point) -> bool {
    (one.x - other.x).abs() < WIDTH && (one.y - other.y).abs() < HEIGHT
}

fn check(boxes: &[Box]) -> Layout {
    let layout = Layout::of(boxes);
    for (at, one) in layout.boxes.iter().enumerate() {
        assert!(one.x >= 0 && one.x + WIDTH <= layout.width, "{one:?}");
        assert!(one.y >= 0 && one.y + HEIGHT <= layout.height, "{one:?}");
        for other in &layout.boxes[at + 1..] {
            assert!(!overlap(*one, *other), "{one:?} {other:?}");
        }
    }
    for edge in &layout.edges {
        assert!(edge.windows(2).all(|pair| pair[0].y <= pair[1].y));
        for pair in edge.windows(2).filter(|pair| pair[0].x == pair[1].x) {
            let (x, y) = (pair[0].x, i64::midpoint(pair[0].y, pair[1].y));
            let inside =
                |one: &&Point| one.x < x && x < one.x + WIDTH && one.y < y && y < one.y + HEIGHT;
            assert_eq!(layout.boxes.iter().find(inside), None, "{edge:?}");
        }
    }
    layout
}

#[test]
fn a_layer_is_below_each_of_its_inputs() {
    let boxes = [
        layer("a", &[]),
        layer("b", &["a"]),
        layer("c", &["a", "b"]),
        layer("d", &["c", "a"]),
    ];
    let layout = check(&boxes);
    let rows: Vec<i64> = layout.boxes.iter().map(|one| one.y).collect();
    assert!(rows.is_sorted() && rows[0] < rows[1] && rows[2] < rows[3]);
    assert_eq!(layout.edges.len(), 5);
}

#[test]
fn forty_layers_do_not_overlap_and_no_edge_crosses_a_box() {
    let mut boxes: Vec<Box> = (0..5).map(|at| layer(&format!("s{at}"), &[])).collect();
    for at in 5..40 {
        let inputs = [at - 1, at / 2, at % 5].map(|input: usize| boxes[input].name.clone());
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        boxes.push(layer(&format!("l{at}"), &inputs));
    }
    check(&boxes);
}

#[test]
fn a_graph_without_layers_and_one_with_unknown_inputs_can_be_drawn() {
    assert_eq!(check(&[]).width, 0);
    let layout = check(&[layer("a", &["b", "a"])]);
    assert_eq!(layout.edges.len(), 0);
}

#[test]
fn the_name_of_a_layer_is_text() {
    let boxes = vec![layer("<script>alert(1)</script>\u{202e}", &[])];
    let drawn = draw_beside(&Graph { boxes }, &html! {}).into_string();
    assert!(!drawn.contains("<script"), "{drawn}");
    assert!(!drawn.contains('\u{202e}'), "{drawn}");
}
