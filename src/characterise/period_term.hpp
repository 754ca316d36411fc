#pragma once
/// @file
/// What a period says about the class of a source, where no labels tell.

#include <xsift/characterise/class_model.hpp>

namespace xsift::characterise {

/// Adds a term of LOG_PERIOD to a model of Chandra's classes (AGN, CV, HM-STAR, HMXB, LM-STAR, LMXB, NS,
/// YSO); leaves models of other classes as they are. Densities are chances that a source of the class shows a
/// period there and that it is offered, a dex: round numbers from the literature on known periods, no fit. A
/// source without a period has no such term.
void add_period_term(ClassModel& model);

}  // namespace xsift::characterise
