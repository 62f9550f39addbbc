// SPDX-License-Identifier: MIT
// C++ as anybody writes it for Linux: exceptions, also across threads, containers, streams,
// futures, static constructors and destructors. Linked statically with glibc and libstdc++.
#include <chrono>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Loud {
	std::string name;
	explicit Loud(std::string n) : name(std::move(n)) { std::cout << "+" << name << "\n"; }
	~Loud() { std::cout << "-" << name << std::endl; }
};

Loud global("global");
thread_local std::string mine = "unset";

int deep(int n)
{
	Loud here("frame" + std::to_string(n));
	if (n == 0)
		throw std::runtime_error("bottom");
	return deep(n - 1) + 1;
}

void unwinding()
{
	try {
		deep(3);
	} catch (const std::exception &e) {
		std::cout << "caught " << e.what() << "\n";
	}
	try {
		std::vector<int>(3).at(7);
	} catch (const std::out_of_range &) {
		std::cout << "out of range\n";
	}
	try {
		std::unique_ptr<char[]> huge(new char[1ull << 62]);
	} catch (const std::bad_alloc &) {
		std::cout << "bad alloc\n";
	}
}

void threads()
{
	std::mutex lock;
	std::map<int, std::string> seen;
	std::vector<std::thread> all;
	for (int i = 0; i < 6; i++)
		all.emplace_back([&, i] {
			mine = "thread " + std::to_string(i);
			std::this_thread::sleep_for(std::chrono::milliseconds(2));
			std::lock_guard<std::mutex> hold(lock);
			seen[i] = mine;
		});
	for (auto &t : all)
		t.join();
	for (auto &[i, text] : seen)
		std::cout << i << "=" << text << " ";
	std::cout << mine << "\n";
	auto answer = std::async(std::launch::async, []() -> int { throw 42; });
	try {
		answer.get();
	} catch (int n) {
		std::cout << "thrown by a thread: " << n << "\n";
	}
}

} // namespace

int main()
{
	unwinding();
	threads();
	return 0;
}
