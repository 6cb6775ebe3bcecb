declare module '*/.dependency-cruiser.mjs' {
  export const LAYERS: string[][];
}
