/**
 * Fence: what a run from a seed may not contain and no rule of oxlint's own forbids.
 *
 * The compiler (tsconfig.core.json) already refuses Node's and the browser's names, and `.oxlintrc.json`
 * the globals that ES2023 leaves. These rules are about syntax: promises, chance by other spellings, and
 * state that outlives a simulated node.
 */
function atModuleLevel(node) {
  for (let up = node.parent; up !== undefined && up !== null; up = up.parent) {
    if (up.type === "Program") return true;
    if (up.type !== "ExportNamedDeclaration") return false;
  }
  return false;
}

const isLiteral = (node) => node.type === "Literal" && typeof node.value === "number";

/** A rule that only visits nodes. */
const rule = (visit) => ({
  create: (context) => visit((node, message) => context.report({ node, message })),
});

const noPromises = rule((report) => {
  const check = (node) => {
    if (node.async === true) report(node, "An async function settles outside the loop: use Work.");
  };
  return {
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
    AwaitExpression: (node) =>
      report(node, "`await` yields to the platform's queue: use `yield*`."),
    ForOfStatement: (node) => {
      if (node.await === true) report(node, "`for await` is asynchronous.");
    },
    ImportExpression: (node) => report(node, "A dynamic import settles outside the loop."),
  };
});

const noHiddenState = rule((report) => ({
  VariableDeclaration: (node) => {
    if (node.declare === true) {
      report(node, "`declare` opens the fence: only src/base/bytes.ts may name the platform.");
    } else if (atModuleLevel(node) && node.kind !== "const") {
      report(node, "Module state is shared by all simulated nodes: keep it in an object.");
    } else if (atModuleLevel(node)) {
      for (const { init } of node.declarations) {
        if (init?.type !== "NewExpression" || init.arguments.length > 0) continue;
        if (!/^(Weak)?(Map|Set)$/.test(init.callee.name ?? "")) continue;
        report(init, "An empty collection at module level is state shared by all simulated nodes.");
      }
    }
  },
  FunctionDeclaration: (node) => {
    if (node.declare === true) report(node, "`declare` opens the fence.");
  },
  TSDeclareFunction: (node) => {
    if (node.declare === true) report(node, "`declare` opens the fence.");
  },
  ClassDeclaration: (node) => {
    if (node.declare === true) report(node, "`declare` opens the fence.");
  },
}));

const noInexactPower = rule((report) => ({
  BinaryExpression: (node) => {
    if (node.operator === "**" && !(isLiteral(node.left) && isLiteral(node.right))) {
      report(node, "`**` may round differently on another engine: multiply or shift.");
    }
  },
  AssignmentExpression: (node) => {
    if (node.operator === "**=") report(node, "`**=` may round differently on another engine.");
  },
}));

export default {
  meta: { name: "fence" },
  rules: {
    "no-promises": noPromises,
    "no-hidden-state": noHiddenState,
    "no-inexact-power": noInexactPower,
  },
};
