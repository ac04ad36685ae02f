/** The zoo: all planted bugs. */
import { plantsBetweenNodes } from "./between.ts";
import { clusterPlants } from "./cluster.ts";
import { crossingPlants } from "./crossing.ts";
import { edgePlants } from "./edge.ts";
import type { Plant } from "./plant.ts";
import { readerPlants } from "./reader.ts";
import { serverPlants } from "./server.ts";
import { streamPlants } from "./stream.ts";

export const plants: readonly Plant[] = [
  ...readerPlants,
  ...streamPlants,
  ...serverPlants,
  ...clusterPlants,
  ...crossingPlants,
  ...plantsBetweenNodes,
  ...edgePlants,
];
