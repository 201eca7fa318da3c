package plugin

import (
	"strings"
	"testing"

	"synix"
	"synix/synixtest"
)

func answer(request synix.Request) string {
	if strings.HasPrefix(request.Messages[0].Parts[0].Text, "List") {
		return "\nCall Ann\nPay rent \n"
	}
	return "Pay rent\n \nCall Ann"
}

func TestItemsAreListedThenOrdered(t *testing.T) {
	ran := synixtest.Execute(Plugin, `{"limit": 2}`, answer, synixtest.Input("jan", "Call Ann. Pay rent."))
	if ran.Err != nil {
		t.Fatal(ran.Err)
	}
	want := []synix.Output{
		{Label: "jan-items", Kind: "action-items", Content: synix.Text("Call Ann\nPay rent")},
		{Label: "jan-ordered", Kind: "action-items-ordered", Content: synix.Text("Pay rent\n \nCall Ann")},
	}
	for i, made := range ran.Outputs {
		if made.Label != want[i].Label || made.Kind != want[i].Kind || made.Content.Text != want[i].Content.Text {
			t.Errorf("made %+v, not %+v", made, want[i])
		}
		if made.Metadata["source"] != `"jan"` || made.Metadata["count"] != "2" {
			t.Errorf("metadata %v", made.Metadata)
		}
	}
	second := ran.Requests[1].Messages[0].Parts[0].Text
	if !strings.HasSuffix(second, "\n\nCall Ann\nPay rent") {
		t.Errorf("the second request does not hold the first answer: %q", second)
	}
}

func TestOnlyTextIsTaken(t *testing.T) {
	picture := synix.Input{Header: synix.Header{Label: "jan"}, Content: synix.Content{MediaType: "image/png"}}
	ran := synixtest.Execute(Plugin, "{}", answer, picture)
	if ran.Err == nil || ran.Err.Error() != "the input `jan` is image/png, not text" {
		t.Errorf("%v", ran.Err)
	}
}
