import { createServer } from "node:http";

import { slug } from "./text.ts";

const titles = ["Hello, World!", "What is new"];

createServer((request, response) => {
  const title = titles.find((t) => `/${slug(t)}` === request.url);
  response.statusCode = title === undefined ? 404 : 200;
  response.end(title ?? "no such page");
}).listen(8080);
