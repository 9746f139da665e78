// Starts tir-lsp for .tir files and hands it to VS Code.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = vscode.workspace.getConfiguration("tir").get("server", "tir-lsp");
  client = new LanguageClient("tir", "tir", { command, args: ["--stdio"] }, { documentSelector: [{ language: "tir" }] });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const install = "pip install 'tir-compiler[lsp]'";
    vscode.window.showErrorMessage(`tir: cannot start '${command}': ${install}, or set "tir.server" (${error.message})`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("tir.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("tir.server") && restart()),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
