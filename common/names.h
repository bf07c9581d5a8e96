/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Names
 *
 * What both sides of the bus call things: the service, its objects and interfaces, its errors, the polkit actions.
 * The introspection XML in dbus/ is the reference for the interface itself.
 */

#define MODULED_BUS_NAME "org.moduled1"
#define MODULED_OBJECT_PATH "/org/moduled1"
#define MODULED_MODULE_PREFIX "/org/moduled1/module"
#define MODULED_MANAGER_INTERFACE "org.moduled1.Manager"
#define MODULED_MODULE_INTERFACE "org.moduled1.Module"

#define MODULED_ERROR_BAD_DESCRIPTOR "org.moduled1.Error.BadDescriptor"
#define MODULED_ERROR_ORIGIN_REFUSED "org.moduled1.Error.OriginRefused"
#define MODULED_ERROR_POLICY_REFUSED "org.moduled1.Error.PolicyRefused"
#define MODULED_ERROR_NOT_A_MODULE "org.moduled1.Error.NotAModule"
#define MODULED_ERROR_BAD_PARAMETERS "org.moduled1.Error.BadParameters"
#define MODULED_ERROR_ALREADY_LOADED "org.moduled1.Error.AlreadyLoaded"
#define MODULED_ERROR_NOT_LOADED "org.moduled1.Error.NotLoaded"
#define MODULED_ERROR_IN_USE "org.moduled1.Error.InUse"
#define MODULED_ERROR_SIGNATURE_REJECTED "org.moduled1.Error.SignatureRejected"
#define MODULED_ERROR_INCOMPATIBLE "org.moduled1.Error.Incompatible"
#define MODULED_ERROR_UNKNOWN_SYMBOL "org.moduled1.Error.UnknownSymbol"
#define MODULED_ERROR_COMPRESSION_UNSUPPORTED "org.moduled1.Error.CompressionUnsupported"
#define MODULED_ERROR_MODULES_DISABLED "org.moduled1.Error.ModulesDisabled"
#define MODULED_ERROR_INIT_FAILED "org.moduled1.Error.InitFailed"
#define MODULED_ERROR_KERNEL_REFUSED "org.moduled1.Error.KernelRefused"
#define MODULED_ERROR_LOADER_CRASHED "org.moduled1.Error.LoaderCrashed"

/* sd-bus has no name for this one of the bus. */
#define MODULED_ERROR_TIMED_OUT "org.freedesktop.DBus.Error.TimedOut"

#define MODULED_ACTION_LOAD "org.moduled1.load"
#define MODULED_ACTION_LOAD_WITH_PARAMETERS "org.moduled1.load-with-parameters"
#define MODULED_ACTION_LOAD_FORCED "org.moduled1.load-forced"
#define MODULED_ACTION_LOAD_MANY "org.moduled1.load-many"
#define MODULED_ACTION_UNLOAD "org.moduled1.unload"
#define MODULED_ACTION_UNLOAD_FOREIGN "org.moduled1.unload-foreign"
