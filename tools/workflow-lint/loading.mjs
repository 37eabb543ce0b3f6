// Lets node load JSON that is imported without saying so, as GitHub's packages do for bundlers.
export async function load(url, context, next) {
  return next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);
}
