/**
 * Import directions: who may see whom.
 *
 *     base <- ports, xmpp, cluster, storage         (storage and stream also see ports)
 *     xmpp <- stream
 *     stream, cluster, storage <- router <- im, modules, admin <- server <- cli, sim
 *
 * runtime sees ports and base, and of server only the types that it is called with. Nobody but cli
 * and library (replicated tables without XMPP) sees runtime. Type-only imports count like any other: a
 * type that points up is a layer that leaks.
 */
const layers = {
  base: [],
  ports: ["base"],
  xmpp: ["base"],
  cluster: ["base"],
  storage: ["base", "ports"],
  stream: ["base", "ports", "xmpp"],
  router: ["base", "ports", "xmpp", "stream", "cluster", "storage"],
  im: ["base", "ports", "xmpp", "stream", "cluster", "storage", "router"],
  modules: ["base", "ports", "xmpp", "stream", "cluster", "storage", "router"],
  admin: ["base", "ports", "xmpp", "stream", "cluster", "storage", "router"],
  // The composition root sees everything that is not the outside.
  server: [
    ...["base", "ports", "xmpp", "stream", "cluster", "storage", "router"],
    ...["im", "modules", "admin"],
  ],
};

const fence = "^(src|sim)/";
const outside = "^(src/(runtime|cli|library)|sim/cli)/|^sim/ports/crypto\\.ts$";

/** Pure enough to run in the simulator, and without Node types in their declarations. */
const purePackages = [
  ...["ltx", "@types/ltx", "@mongodb-js/saslprep", "tr46", "smol-toml", "zod"],
  ...["seedrandom", "@types/seedrandom", "pg-mem", "pgsql-ast-parser"],
];

const layerRules = Object.entries(layers).map(([layer, below]) => ({
  name: `${layer}-looks-down`,
  comment: `src/${layer} sees only: ${[layer, ...below].join(", ")}`,
  severity: "error",
  from: { path: `^src/${layer}/` },
  to: {
    path: "^(src|sim|test|bench|properties)/",
    pathNot: `^src/(${[layer, ...below].join("|")})/`,
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: "runtime-looks-down",
      comment:
        "src/runtime sees ports and base, and types of the loop, its effects and the configuration",
      severity: "error",
      from: { path: "^src/runtime/" },
      to: {
        path: "^(src|sim|test|bench|properties)/",
        pathNot:
          "^src/(runtime|ports|base)/|^src/server/(effects|loop|config|recorder)\\.ts$|^src/storage/migrations\\.ts$",
      },
    },
    {
      name: "runtime-only-types-of-server",
      severity: "error",
      from: { path: "^src/runtime/" },
      to: { path: "^src/server/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "library-knows-no-xmpp",
      comment: "src/library is the cluster over real sockets, without a server",
      severity: "error",
      from: { path: "^src/library/" },
      to: {
        path: "^(src|sim|test|bench|properties)/",
        pathNot: "^src/(library|base|ports|cluster|runtime)/|^src/server/effects\\.ts$",
      },
    },
    {
      name: "cli-is-the-top",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: "^(sim|test|bench|properties)/|^src/library/" },
    },
    {
      name: "sim-has-no-outside",
      comment:
        "the simulator runs server() on its own ports; only sim/cli touches files and processes",
      severity: "error",
      from: { path: "^sim/", pathNot: "^sim/cli/" },
      to: { path: "^src/(runtime|cli|library)/|^sim/cli/|^(test|bench|properties)/" },
    },
    {
      name: "sim-kit-knows-no-xmpp",
      comment: "what simulates any protocol sees base and ports, and nothing else of sim/",
      severity: "error",
      from: { path: "^sim/kit/" },
      to: { path: "^(src|sim)/", pathNot: "^sim/kit/|^src/(base|ports)/" },
    },
    {
      name: "the-example-needs-the-kit-only",
      comment: "what simulates a protocol of somebody else is all in sim/kit",
      severity: "error",
      from: { path: "^examples/simulate-a-protocol/" },
      to: { path: "^(src|sim)/", pathNot: "^sim/kit/|^src/base/" },
    },
    {
      name: "modules-are-strangers",
      comment: "what two modules need is in router/ or a stage",
      severity: "error",
      from: { path: "^src/modules/([^/]+?)(\\.ts|/)", pathNot: "^src/modules/index\\.ts$" },
      to: { path: "^src/modules/", pathNot: "^src/modules/$1(\\.ts|/)" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "fence-without-node",
      severity: "error",
      from: { path: fence, pathNot: outside },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "fence-pure-packages",
      comment: "one `import type` from pg or ws brings Node's types back into the fence",
      severity: "error",
      from: { path: fence, pathNot: outside },
      to: { path: "node_modules/", pathNot: `node_modules/(${purePackages.join("|")})/` },
    },
    { name: "not-to-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|build|data)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "types"],
    },
  },
};
