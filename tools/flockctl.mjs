#!/usr/bin/env node
// The `flockctl` command: starts workers/cli/flockctl.ts on the right Node.
import { launch } from "./with-node.mjs";

launch(["workers/cli/flockctl.ts", ...process.argv.slice(2)]);
