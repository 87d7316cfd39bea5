package main

import "github.com/urfave/cli/v3"

func serveCommand() *cli.Command  { return &cli.Command{Name: "serve"} }
func watchCommand() *cli.Command  { return &cli.Command{Name: "watch", Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}, &cli.StringFlag{Name: "token", Sources: cli.EnvVars("STATESYNC_TOKEN")}}, Action: nil} }
func appendCommand() *cli.Command { return &cli.Command{Name: "append"} }
