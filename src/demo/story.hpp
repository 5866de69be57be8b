#pragma once

#include <demo/check.hpp>
#include <demo/client.hpp>
#include <demo/print.hpp>
#include <demo/stage.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace rotary::demo {

// The demo's steps, in order, each verified. Lives on the thread that tells it.
class Story {
public:
    Story(const Stage& stage, const StopSignal& stop, Printer& print);

    // False when a step did not happen; the ones behind it are told all the same. Throws Stopped.
    bool tell();

    const std::string& token() const { return token_; }

private:
    void who_may_call();
    void turns();
    void sandbox();
    void stream();
    void quota();
    void comes_back();
    void budget();
    void keys();

    void attempt(void (Story::*step)());
    Answer ask(const Call& call) const;
    Served ask_production() const;
    std::vector<Served> ask_production(std::size_t times);
    std::vector<ModelState> models() const;
    void show_providers_refusal();
    void show_suspension(const std::vector<ModelState>& models);
    bool wait_for_return();

    const Stage& stage_;
    const StopSignal& stop_;
    Printer& print_;
    Client client_;
    std::string token_;
    std::vector<std::string> secrets_;  // of the client: tokens, each without its scheme
};

}  // namespace rotary::demo
