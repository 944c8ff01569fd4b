// Runs drawings in the npm package bpmn-engine, a peer of ours that only tests know.
// One JSON object per line comes in: {id, source, variables}. One per line goes out:
// {id, answered: {node: times}, ended: {node: times}, outcome}. Those it leaves waiting for nothing
// are told by their silence, so that many run side by side.
const { EventEmitter } = require("node:events");
const readline = require("node:readline");
const { Engine } = require("bpmn-engine");

const SIDE_BY_SIDE = 25, SILENCE_MS = 4000;

const count = (counts, id) => { counts[id] = (counts[id] || 0) + 1; };

function play({ id, source, variables }) {
  return new Promise((resolve) => {
    const answered = {}, ended = {};
    const listener = new EventEmitter();
    let finished = false;
    const finish = (outcome) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      resolve({ id, answered, ended, outcome });
    };
    const timer = setTimeout(() => finish("stuck"), SILENCE_MS);
    listener.on("activity.wait", (api) => {
      timer.refresh();
      if (api.type !== "bpmn:UserTask") return;
      count(answered, api.id);
      setImmediate(() => api.signal());
    });
    listener.on("activity.end", (api) => {
      timer.refresh();
      if (api.type === "bpmn:EndEvent" || api.type === "bpmn:Task") count(ended, api.id);
    });
    const engine = new Engine({ name: id, source });
    engine.once("end", () => finish("completed"));
    engine.once("error", (error) => finish(`error: ${error.message}`));
    engine.execute({ listener, variables }, (error) => {
      if (error) finish(`error: ${error.message}`);
    });
  });
}

async function work(drawings) {
  while (drawings.length) {
    process.stdout.write(`${JSON.stringify(await play(drawings.shift()))}\n`);
  }
}

(async () => {
  const drawings = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    drawings.push(JSON.parse(line));
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => work(drawings)));
  process.exit(0);
})();
