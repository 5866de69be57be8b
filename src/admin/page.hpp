#pragma once

#include <string>
#include <string_view>

// The page for operators. Its sources are in src/admin/page and become part of the program when it
// is built.
namespace rotary::admin {

std::string_view page_html() noexcept;  // with @@NAMES@@ where a snapshot goes
std::string page_css();
std::string page_js();

// With how things stand now, so that it can be read without JavaScript. The two are what
// /api/v1/status and /api/v1/models answer.
std::string page_with(std::string_view status_json, std::string_view models_json);
// For one who has yet to show the token: nothing but the form.
std::string page_without();

}  // namespace rotary::admin
