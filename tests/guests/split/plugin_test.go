package plugin

import (
	"testing"

	"synix"
	"synix/synixtest"
)

func TestExecuteDividesTheInputs(t *testing.T) {
	inputs := []synix.Input{synixtest.Input("b", "two"), synixtest.Input("a", "one"), synixtest.Input("c", "three")}
	for i := range inputs[:2] {
		inputs[i].Metadata = synix.Metadata{"topic": `"x"`}
	}
	ran := synixtest.Execute(Plugin, "{}", nil, inputs...)
	if ran.Err != nil || len(ran.Outputs) != 2 {
		t.Fatalf("%+v", ran)
	}
	if ran.Outputs[0].Label != "none" || ran.Outputs[1].Content.Text != "one\ntwo" {
		t.Errorf("%+v", ran.Outputs)
	}
}
