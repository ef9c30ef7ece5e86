import { theme } from "./looks.js";

theme();
