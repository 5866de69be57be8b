// Precompiled once a build for all tests, as rooms.hpp is for the rooms.
#pragma once

#include "rooms.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
