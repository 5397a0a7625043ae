/** `URL`, for whoever names it: the build injects it there, and it costs a megabyte only then. */
// @ts-expect-error the package has no types
export { default as URL } from "core-js-pure/actual/url";
// @ts-expect-error the package has no types
export { default as URLSearchParams } from "core-js-pure/actual/url-search-params";
