/* The pages of plays come whole from the server; only the head is the site's. */
import { head, whoAmI } from "/static/site/frame.js";

head(await whoAmI());
