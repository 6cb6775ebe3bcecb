// A data source backend made with Grafana's Go SDK that answers every query with one given frame: the yardstick for the
// cost of the plugin protocol. The frame is read once, as JSON in Grafana's form, from the file FRAME.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

type source struct{ frame *data.Frame }

func (s source) QueryData(_ context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	answer := backend.NewQueryDataResponse()
	for _, query := range req.Queries {
		answer.Responses[query.RefID] = backend.DataResponse{Frames: data.Frames{s.frame}}
	}
	return answer, nil
}

func main() {
	raw, err := os.ReadFile(os.Getenv("FRAME"))
	if err != nil {
		panic(err)
	}
	var frame data.Frame
	if err := json.Unmarshal(raw, &frame); err != nil {
		panic(err)
	}
	if err := datasource.Serve(datasource.ServeOpts{QueryDataHandler: source{frame: &frame}}); err != nil {
		panic(err)
	}
}
